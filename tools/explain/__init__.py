"""The Python peers of `nunchi explain`: small networks, where to look in them, and the maps that the peers make."""
