/* Gaussian negative log-likelihood without its constant, f = (mean, log variance s), r = mean - y:
 * (s + r^2 e^{-s}) / 2. gradient (r e^{-s}, (1 - r^2 e^{-s}) / 2), Hessian diagonal
 * (e^{-s}, r^2 e^{-s} / 2). With e^{-s/2} applied twice, or e^{-s/4} four times where it overflows itself, nothing
 * overflows that need not. Where the
 * two terms of the loss or of the second derivative cancel, the error is in ULP of the larger one: worst
 * 4.5 ULP. Parameters: none.
 */
#define FL_ROW_FEW 2

FL_INLINE V FN(gaussian_nll)(const FN(FlRowTile) * t, int wants)
{
    const V s = vload(t->f + LANES), r = vload(t->f) - t->value, most = vsplat(REAL_MAX);
    const V root = vexp(R(-0.5) * s);
    const VI far = root > most;
    V scaled = r * root, slope = scaled * root;
    if (FL_UNLIKELY(vany(far))) {
        /* r may be 0, or so small that it is no infinity; beyond `most` it is for any other r */
        const V part = vmin(most, vexp(R(-0.25) * s)), twice = (r * part) * part;
        scaled = vselect(far, twice, scaled);
        slope = vselect(far, (twice * part) * part, slope);
    }
    const V square = FN(fl_opaque)(scaled * scaled);
    if (wants & FL_WANT_GRADIENT) {
        vstore(t->gradient, slope);
        vstore(t->gradient + LANES, R(0.5) - R(0.5) * square);
    }
    if (wants & FL_WANT_HESSIAN) {
        vstore(t->hessian, root * root);
        vstore(t->hessian + LANES, R(0.5) * square);
    }
    return R(0.5) * s + R(0.5) * square;
}
