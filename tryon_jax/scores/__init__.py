"""What is measured of try-on pictures and shapes: arrays in, floats out, one file a kind of measure."""
