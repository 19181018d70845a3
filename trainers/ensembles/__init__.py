"""What `trainers.GANEnsemble` is made of: its game, its data, and chunks of its members."""
