/* Gaussian negative log-likelihood without its constant, f = (mean, log variance s), r = mean - y:
 * (s + r^2 e^{-s}) / 2. gradient (r e^{-s}, (1 - r^2 e^{-s}) / 2), Hessian diagonal
 * (e^{-s}, r^2 e^{-s} / 2), or at least its mean under the distribution, (e^{-s}, 1/2), Fisher's information. With
 * e^{-s} in parts where it is no normal number, nothing overflows or underflows that need not. Where the two terms
 * of the loss or of the second derivative cancel, the error is in ULP of the larger one: worst 4 ULP. Parameters:
 * p[0] = -infinity, or 1/2 for the bounded Hessian.
 */
#define FL_ROW_FEW 2

/* r^2 e^{-s} / 2, and r e^{-s}, for any s: the halves of 2^n = 2^h 2^h, by halves of their own, go in before and after
 * what rounds */
FL_INLINE V FN(fl_nll_of_parts)(V r, V s, V *slope)
{
    const V most = vsplat((REAL)(2 * EXPONENT_BIAS - 2)); /* all is 0 or infinite further out */
    V n;
    const V m = FN(fl_exp_parts)(-s, vsplat(R(0.0)), &n);
    const V h = vmin(most, vmax(-most, (R(0.5) * n + vround_shift()) - vround_shift()));
    const V odd = vmin(vsplat(R(1.0)), vmax(vsplat(R(-1.0)), n - (h + h)));
    const V factor = m * FN(fl_power_of_two)(odd);
    const V half = (R(0.5) * h + vround_shift()) - vround_shift();
    const V first = FN(fl_power_of_two)(half), second = FN(fl_power_of_two)(h - half);
    const V scaled = FN(fl_opaque)(r * first) * second, once = FN(fl_opaque)(scaled * factor);
    *slope = FN(fl_opaque)(once * first) * second;
    return (R(0.5) * once) * scaled;
}

FL_INLINE V FN(gaussian_nll)(const FN(FlRowTile) * t, int wants)
{
    const V s = vload(t->f + LANES), inverse = vexp(-s);
    V r_lo;
    const V r = FN(fl_two_sum)(vload(t->f), -t->value, &r_lo);
    /* e^{-s} is no normal number, or almost; NaN is not far */
    const VI far = vabs(s) > (REAL)(FL_BITS == 64 ? 700 : 86);
    V slope = r * inverse, half_square = (R(0.5) * r) * FN(fl_opaque)(slope);
    /* what r was rounded by: NaN, and nothing to add, for an infinite one */
    const VI finite = half_square <= REAL_MAX;
    const V lower = vkeep(finite, FN(fl_opaque)(r_lo * inverse));
    half_square = half_square + vkeep(finite, r) * lower;
    slope = slope + lower;
    if (FL_UNLIKELY(vany(far))) {
        V far_slope;
        half_square = vselect(far, FN(fl_nll_of_parts)(r, s, &far_slope), half_square);
        slope = vselect(far, far_slope, slope);
    }
    if (wants & FL_WANT_GRADIENT) {
        vstore(t->gradient, slope);
        vstore(t->gradient + LANES, R(0.5) - half_square);
    }
    if (wants & FL_WANT_HESSIAN) {
        vstore(t->hessian, vselect(r == r, inverse, r));
        vstore(t->hessian + LANES, vmax(vsplat(t->p[0]), half_square));
    }
    return R(0.5) * s + half_square;
}
