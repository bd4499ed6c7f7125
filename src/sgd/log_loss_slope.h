/* The log loss's gradient alone, for labels 0 and 1 and unit costs: -+1 / (1 + e^+-f), where each operation stands
 * between one step and the next. Beyond |f| of 700 (87 in float32) it is that of the bound. Worst error: 2 ULP.
 * Included once per precision, after dots.h. */

/* e^x for |x| <= 700 (87), of the first lane */
FL_INLINE REAL FN(fl_sgd_exp)(V x)
{
#if FL_LOOKUP
    const V shift = vround_shift();
    const V shifted = x * (16 * LOG2_E) + shift, n = shifted - shift;
    const V tail = FN(fl_exp_sixteenth_tail)(FN(fl_exp_sixteenth)(x, n));
    const V scale = FN(fl_exp_sixteenth_scale)(FN(fl_ubits)(shifted));
    return FN(fl_first)(scale + scale * tail);
#else
    const V shift = vround_shift() + (REAL)EXPONENT_BIAS;
    const V shifted = x * LOG2_E + shift, n = shifted - shift;
    const V r = (x - n * LN2_HI) - n * LN2_LO;
    return FN(fl_first)(vexp_poly(r) * FN(fl_from_ubits)(FN(fl_ubits)(shifted) << MANTISSA_BITS));
#endif
}

/* Labels come in no order that a branch could be foretold by: they flip the sign bit. */
FL_INLINE REAL FN(fl_sgd_log_loss_slope)(REAL y, REAL f)
{
    const REAL most = FL_BITS == 64 ? R(700.0) : R(87.0);
    const VI flipped = vbits(vsplat(y - R(0.5))) & ~(INT)(~(UINT)0 >> 1);
    V x = {f};
    x = vfrom_bits(vbits(x) ^ flipped);
    if (FL_UNLIKELY(!(FN(fl_first)(vabs(x)) <= most)))
        x = vmin(vsplat(most), vmax(vsplat(-most), x)); /* NaN stays */
    return (R(1.0) - R(2.0) * y) / (R(1.0) + FN(fl_sgd_exp)(x));
}
