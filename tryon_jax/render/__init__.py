"""From triangles to pictures and, for sheets of depth, from pictures to triangles. What all of it holds to:

Frames. Meshes, sheets and normals live in the camera's frame: right-handed, metres, x right, y up, z toward the viewer,
so that what is nearer has the larger z. The orthographic camera [3] and its projection are geometry.camera's; the
pinhole, at the origin, is perspective's. On screen: x right, y DOWN, in pixels, the centre of the pixel in row r and
column c at (c + 0.5, r + 0.5); third the depth, z in metres (perspective: 1 / distance), larger where nearer. Texture
coordinates: x right, y down, in [0, 1] over the picture, texel centres at (i + 0.5) / width.

Faces. int [F, 3], counter-clockwise seen from outside in the camera's frame; both sides of a triangle are drawn. A face
with two corners alike is padding and draws nothing.

Capacity. Arrays under jit have static sizes: `rasterize` is given room for so many candidate pixels, the sum over the
triangles of the pixels in their boxes, cut to the picture. `candidates` counts them on the host; where that is not
possible take about 1.05 times the count of a scene like it. Too little is never passed over: every id becomes -2, and
whatever is made of such ids is NaN.

Files: rasterize (which triangle; Pallas in tiles, C++ in tryon_jax.native), surface (depth, barycentrics, attributes
there), perspective, texture, edges (gradients of silhouettes), shade, view (a mesh held on the device and turned);
lift with height_field, jumps and outline (sheets to closed solids), depth_filter; the rest makes sheets fine and
colours them: refine, limbs, compose, motif, palette, holes, paste.
"""
