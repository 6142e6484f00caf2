"""The network experiment of section 5.4: a wide ReLU network, meta-trained as printed and in its linearised form."""
