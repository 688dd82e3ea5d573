"""Files that several published data sets have in common, read and checked: what is wrong names the file and the remedy.

access (the user's own copy, and where it is asked for), pairs, pictures, keypoints, labels, photographs (a photo and a
garment as one example of the batch contract), idx (many small pictures in one file), pointcache and wavefront (moving
meshes).
"""
