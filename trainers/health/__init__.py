"""Health of a training: what is measured, what it means, what helps, and the way back."""
