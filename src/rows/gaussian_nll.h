/* Gaussian negative log-likelihood without its constant, f = (mean, log variance s), r = mean - y:
 * (s + r^2 e^{-s}) / 2. gradient (r e^{-s}, (1 - r^2 e^{-s}) / 2), Hessian diagonal
 * (e^{-s}, r^2 e^{-s} / 2). With e^{-s/2} applied twice, in parts where it is no normal number, nothing overflows
 * or underflows that need not. Where the two terms of the loss or of the second derivative cancel, the error is in
 * ULP of the larger one: worst 4.5 ULP. Parameters: none.
 */
#define FL_ROW_FEW 2

/* r e^{-s/2}, and r e^{-s}, for any s: 2^n goes in by halves, before and after what rounds */
FL_INLINE V FN(fl_nll_of_parts)(V r, V s, V *slope)
{
    const V most = vsplat((REAL)(2 * EXPONENT_BIAS - 2)); /* all is 0 or infinite further out */
    V n;
    const V m = FN(fl_exp_parts)(R(-0.5) * s, vsplat(R(0.0)), &n);
    const V whole = vmin(most, vmax(-most, n));
    const V half = (R(0.5) * whole + vround_shift()) - vround_shift();
    const V first = FN(fl_power_of_two)(half), second = FN(fl_power_of_two)(whole - half);
    const V scaled = FN(fl_opaque)(FN(fl_opaque)(r * first) * m) * second;
    *slope = FN(fl_opaque)(FN(fl_opaque)(scaled * first) * m) * second;
    return scaled;
}

FL_INLINE V FN(gaussian_nll)(const FN(FlRowTile) * t, int wants)
{
    const V s = vload(t->f + LANES), r = vload(t->f) - t->value;
    const V root = vexp(R(-0.5) * s);
    /* e^{-s/2} is no normal number, or almost; NaN is not far */
    const VI far = vabs(s) > (REAL)(FL_BITS == 64 ? 1416 : 174);
    V scaled = r * root, slope = scaled * root;
    if (FL_UNLIKELY(vany(far))) {
        V far_slope;
        scaled = vselect(far, FN(fl_nll_of_parts)(r, s, &far_slope), scaled);
        slope = vselect(far, far_slope, slope);
    }
    const V square = FN(fl_opaque)(scaled * scaled);
    if (wants & FL_WANT_GRADIENT) {
        vstore(t->gradient, slope);
        vstore(t->gradient + LANES, R(0.5) - R(0.5) * square);
    }
    if (wants & FL_WANT_HESSIAN) {
        vstore(t->hessian, vselect(r == r, root * root, r));
        vstore(t->hessian + LANES, R(0.5) * square);
    }
    return R(0.5) * s + R(0.5) * square;
}
