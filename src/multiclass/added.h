/* Exponentials of logits to which something is added class by class: FlAdded of hard_chunk.h.
 *
 * Included once per precision, after hard_chunk.h.
 */

/* As max_columns(), of the sums. They are rounded, but only scale what follows. */
FL_INLINE V FN(fl_max_of_classes)(const REAL *x, ptrdiff_t stride, ptrdiff_t n, FN(FlAdded) added)
{
    V a = vsplat((REAL)-INFINITY), b = a;
    ptrdiff_t k = 0;
    for (; k + 2 <= n; k += 2) {
        a = vmax(vload(x + k * stride) + added.shift[k], a);
        b = vmax(vload(x + (k + 1) * stride) + added.shift[k + 1], b);
    }
    if (k < n)
        a = vmax(vload(x + k * stride) + added.shift[k], a);
    return vmax(a, b);
}

/* As fl_exp_of(), of n <= 5 classes (a constant) of a tile; and what they are made of before they are scaled. */
FL_INLINE void FN(fl_exp_of_classes)(const REAL *x, ptrdiff_t x_stride, ptrdiff_t n, REAL *e,
                                     ptrdiff_t e_stride, FN(FlAdded) added, V floor, V magic,
                                     V out[], FN(FlExpParts) parts[])
{
    const V magics[5] = {magic, magic, magic, magic, magic};
    V floors[5];
    for (ptrdiff_t j = 0; j < n; j++) {
        out[j] = vload(x + j * x_stride);
        floors[j] = floor;
        if (added.kind == FL_ADDED_ANY)
            floors[j] = floor - added.shift[j];
    }
    FN(fl_softmax_exps_parts)(out, n, floors, magics, parts);
    for (ptrdiff_t j = 0; j < n; j++) {
        if (added.kind == FL_ADDED_ANY)
            out[j] = out[j] * added.gain[j];
        if (e)
            vstore(e + j * e_stride, out[j]);
    }
}

/* The largest sum of a row, lane by lane, n >= LANES; the vector that ends it overlaps the one before. */
FL_INLINE V FN(fl_max_of_row)(const REAL *x, ptrdiff_t n, FN(FlAdded) added)
{
    V a = vload(x + n - LANES) + vload(added.shift + n - LANES), b = a, c = a, d = a;
    ptrdiff_t k = 0;
    for (; k + 4 * LANES <= n; k += 4 * LANES) {
        const REAL *p = x + k, *q = added.shift + k;
        a = vmax(vload(p) + vload(q), a);
        b = vmax(vload(p + LANES) + vload(q + LANES), b);
        c = vmax(vload(p + 2 * LANES) + vload(q + 2 * LANES), c);
        d = vmax(vload(p + 3 * LANES) + vload(q + 3 * LANES), d);
    }
    for (; k + LANES <= n; k += LANES)
        a = vmax(vload(x + k) + vload(added.shift + k), a);
    return vmax(vmax(a, b), vmax(c, d));
}

/* As fl_exp_of(), of n <= 4 vectors (a constant) of a row. */
FL_INLINE void FN(fl_exp_of_row)(const REAL *x, ptrdiff_t n, REAL *e, FN(FlAdded) added, V floor,
                                 V magic, V out[])
{
    const V magics[4] = {magic, magic, magic, magic};
    V floors[4];
    if (added.kind == FL_ADDED_NOTHING) {
        FN(fl_exp_of)(x, LANES, n, e, LANES, NULL, floor, magic, out);
        return;
    }
    for (ptrdiff_t j = 0; j < n; j++) {
        out[j] = vload(x + j * LANES);
        floors[j] = floor;
        if (added.kind == FL_ADDED_ANY)
            floors[j] = floor - vload(added.shift + j * LANES);
    }
    FN(fl_softmax_exps)(out, n, floors, magics);
    for (ptrdiff_t j = 0; j < n; j++) {
        out[j] = out[j] * vload(added.gain + j * LANES);
        vstore(e + j * LANES, out[j]);
    }
}

/* The first n < LANES classes of a row, 0 in the other lanes */
FL_INLINE V FN(fl_exp_of_part)(const REAL *x, ptrdiff_t n, FN(FlAdded) added, V floor, V magic)
{
    const V zero = vsplat(R(0.0));
    V t = vload_partial(x, n, zero), gain = zero;
    if (added.kind == FL_ADDED_ANY)
        floor = floor - vload_partial(added.shift, n, zero);
    if (added.kind != FL_ADDED_NOTHING)
        gain = vload_partial(added.gain, n, zero);
    FN(fl_softmax_exps)(&t, 1, &floor, &magic);
    if (added.kind != FL_ADDED_NOTHING)
        return t * gain;
    return vkeep_first(n, t);
}
