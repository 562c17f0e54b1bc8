"""The CIFAR networks that no peer package holds: ResNet (He et al. 2016, section 4.2) and a plain convolutional one."""

import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    """Two 3x3 convolutions; where the shape changes the shortcut is option A (padded) or B (a convolution)."""

    def __init__(self, channels, width, stride, padded):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride, self.missing = stride, width - channels
        self.downsample = None
        if self.missing and not padded:
            self.downsample = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        shortcut = x
        if self.downsample is not None:
            shortcut = self.downsample(x)
        elif self.missing:
            half = self.missing // 2
            shortcut = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, half))
        x = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(x)) + shortcut)


class CifarResNet(nn.Module):
    """`head` is the name of the classifier: linear beside padded shortcuts, fc beside convolutions."""

    def __init__(self, blocks, width, classes, head):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        widths = [width, width, 2 * width, 4 * width]
        for stage in (1, 2, 3):
            rows = [Block(widths[stage - 1] if row == 0 else widths[stage], widths[stage],
                          2 if stage > 1 and row == 0 else 1, padded=head == "linear") for row in range(blocks)]
            self.add_module(f"layer{stage}", nn.Sequential(*rows))
        self.add_module(head, nn.Linear(4 * width, classes))
        self.head = head

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return getattr(self, self.head)(x.mean((2, 3)))

    def probes(self):
        states = [self.relu, self.layer1, self.layer2, self.layer3]
        return states, self.layer3, getattr(self, self.head)


class SimpleCnn(nn.Module):
    """Three blocks and two linear layers: 1,147,914 parameters at widths 32, 64, 128, hidden 512 and 10 classes."""

    def __init__(self, widths, hidden, classes):
        super().__init__()
        parts = []
        for before, after in zip([3, *widths], widths):
            parts += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*parts)
        self.classifier = nn.Sequential(nn.Dropout(0.5), nn.Linear(widths[-1] * 16, hidden), nn.ReLU(),
                                        nn.Dropout(0.5), nn.Linear(hidden, classes))

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))

    def probes(self):
        return list(self.features[3::4]), self.features, self.classifier[-1]
