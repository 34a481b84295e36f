"""HEIC, in which phones save pictures: read once an extra package is installed."""


def register_heic() -> bool:
    """Teach Pillow to read HEIC; whether the package for it is installed."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True
