"""The loop of PyTorch's DCGAN example in channels_last; nothing of this project or TensorFlow."""

import torch
from torch import nn


def _block(stages, filters, channels, base):
    """Generator and discriminator of the same layers and weights as zoo's DCGAN."""
    maps = filters * 2 ** (stages - 1)
    layers = [
        nn.Linear(100, base * base * maps, bias=False),
        nn.Unflatten(1, (maps, base, base)),
    ]
    for _ in range(stages - 1):
        layers += [nn.BatchNorm2d(maps, momentum=0.1), nn.ReLU(True)]
        maps //= 2
        layers.append(nn.ConvTranspose2d(2 * maps, maps, 5, 2, 2, output_padding=1, bias=False))
    layers += [nn.BatchNorm2d(maps, momentum=0.1), nn.ReLU(True)]
    layers += [nn.ConvTranspose2d(maps, channels, 5, 2, 2, output_padding=1), nn.Tanh()]
    generator = nn.Sequential(*layers)
    layers, seen, maps = [], channels, filters
    for _ in range(stages):
        layers += [nn.Conv2d(seen, maps, 5, 2, 2), nn.LeakyReLU(0.2, True)]
        seen, maps = maps, 2 * maps
    layers += [nn.Flatten(), nn.Linear(seen * base * base, 1)]
    return generator, nn.Sequential(*layers)


def make(cell):
    torch.manual_seed(0)
    torch.set_num_threads(cell["options"].get("threads", torch.get_num_threads()))
    side, _, channels = cell["image_shape"]
    stages = 3 if side == 32 else 2
    generator, discriminator = (
        net.to(memory_format=torch.channels_last)
        for net in _block(stages, cell["filters"], channels, side // 2**stages)
    )
    g_optimizer, d_optimizer = (
        torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999))
        for net in (generator, discriminator)
    )
    criterion = nn.BCEWithLogitsLoss()
    size = cell["batch_size"]
    images = torch.randint(0, 256, (4096, channels, side, side), dtype=torch.uint8)
    images = images.contiguous(memory_format=torch.channels_last)
    half = torch.autocast("cpu", dtype=torch.bfloat16, enabled=cell["precision"] == "bfloat16")
    ones, zeros = torch.ones(size, 1), torch.zeros(size, 1)

    def step(real):
        noise = torch.randn(size, 100)
        d_optimizer.zero_grad()
        with half:
            real_loss = criterion(discriminator(real).float(), ones)
        real_loss.backward()
        with half:
            fake = generator(noise)
            fake_loss = criterion(discriminator(fake.detach()).float(), zeros)
        fake_loss.backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        with half:
            g_loss = criterion(discriminator(fake).float(), ones)
        g_loss.backward()
        g_optimizer.step()
        return g_loss, real_loss + fake_loss

    if cell["options"].get("compile"):
        generator.compile()
        discriminator.compile()

    def run(steps):
        for _ in range(steps):
            rows = torch.randint(0, len(images), (size,))
            losses = step(images[rows].float() / 127.5 - 1.0)
        return [float(loss.detach()) for loss in losses]

    return run
