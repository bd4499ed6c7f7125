/* Gaussian negative log-likelihood without its constant, f = (mean, log variance s), r = mean - y:
 * (s + r^2 e^{-s}) / 2. gradient (r e^{-s}, (1 - r^2 e^{-s}) / 2), Hessian diagonal
 * (e^{-s}, r^2 e^{-s} / 2). With e^{-s/2} applied twice nothing overflows that need not. Where the
 * two terms of the loss or of the second derivative cancel, the error is in ULP of the larger one: worst
 * 4.5 ULP. Parameters: none.
 */
#define FL_ROW_FEW 2

FL_INLINE V FN(gaussian_nll)(const FN(FlRowTile) * t, int wants)
{
    const V s = vload(t->f + LANES), r = vload(t->f) - t->value;
    const V root = vexp(R(-0.5) * s), scaled = r * root;
    const V square = FN(fl_opaque)(scaled * scaled);
    if (wants & FL_WANT_GRADIENT) {
        vstore(t->gradient, scaled * root);
        vstore(t->gradient + LANES, R(0.5) - R(0.5) * square);
    }
    if (wants & FL_WANT_HESSIAN) {
        vstore(t->hessian, root * root);
        vstore(t->hessian + LANES, R(0.5) * square);
    }
    return R(0.5) * s + R(0.5) * square;
}
