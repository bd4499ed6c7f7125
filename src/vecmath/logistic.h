/* The logistic family, through t = e^-|x|, which never overflows; and tanh. */
#define vexpit FN(fl_expit)
#define vsoftplus FN(fl_softplus)
#define vtanh FN(fl_tanh)

/* 1 / (1 + e^-x): with q = t / (1 + t) it is 1 - q for x >= 0, and q = t - t q below. Either way the
 * errors of 1 + t and of the division count less than in q itself.
 * Worst error: float64 1.53 ULP at -0x1.2d34635071654p+0, with tables 1.70 at
 * -0x1.f596c6fa91056p+0; float32 1.61 at -0x1.1e3794p+0. Unfused: 1.70 at -0x1.2387139b638eap+0;
 * 1.61 at -0x1.216ebap+0. */
FL_INLINE V vexpit(V x)
{
    const V one = vsplat(R(1.0)), t = vexp_nonpositive(vminus_abs(x));
    const V q = t / (one + t), a = vselect_negative(x, t, one);
    return a - a * q;
}

/* log(1 + e^x) = max(x, 0) + log1p(t).
 * Worst error: float64 1.59 ULP at 0x1.b8398c57ba5b2p-6, with tables 1.66 at
 * -0x1.62e3b8cae8c8fp+2; float32 1.69 at 0x1.4646e6p-9. Unfused: 1.75 at 0x1.b671c1068d2b8p-14;
 * 2.08 at 0x1.dbe26p-6. */
FL_INLINE V vsoftplus(V x)
{
    const V zero = vsplat(R(0.0));
    return vmax(x, zero) + vlog1p_unit(vexp_nonpositive(vminus_abs(x)));
}

/* h / (1 + h) = h - h (h / (1 + h)) with h = (e^(2|x|) - 1) / 2, and the sign of x. For small h the
 * second form damps the errors of 1 + h and of the division.
 * Worst error: float64 1.57 ULP at -0x1.d7af77cc09b2p-3; float32 1.65 at 0x1.e9db08p-5. Unfused:
 * 1.59 at 0x1.d1f3531e14868p-4; 1.72 at 0x1.e39beep-3. */
FL_INLINE V vtanh(V x)
{
    const V magnitude = vabs(x);
    const V most = vsplat((REAL)(FL_BITS == 64 ? 40 : 20));
    const V h = FN(fl_half_expm1)(vmin(most, magnitude + magnitude));
    V y = h / (R(1.0) + h);
    y = vselect(h < R(0.5), h - h * y, y);
    return vcopysign(y, x);
}
