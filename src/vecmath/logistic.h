/* The logistic family, through t = e^-|x|, which never overflows; and tanh. */
#define vexpit FN(fl_expit)
#define vsoftplus FN(fl_softplus)
#define vtanh FN(fl_tanh)

/* 1 / (1 + e^-x): with q = t / (1 + t) it is 1 - q for x >= 0, and q = t - t q below. Either way
 * the errors of 1 + t and of the division count less than in q itself.
 * Worst error: float64 1.61 ULP at -0x1.287344f80dc4cp+0, with tables 1.72 at
 * -0x1.f6d59f6273e8ep+0; float32 1.70 at -0x1.1aaa9ap+0, with tables 1.84 at -0x1.62d2aap+2.
 * Unfused: 1.84 at -0x1.24ff2b4e89c3p+0; 1.89 at -0x1.1ef89ep+0. */
FL_INLINE V vexpit(V x)
{
    const V one = vsplat(R(1.0)), t = vexp_nonpositive(vminus_abs(x));
    const V q = t / (one + t), a = vselect_negative(x, t, one);
    return a - a * q;
}

/* log(1 + e^x) = max(x, 0) + log1p(t).
 * Worst error: float64 1.74 ULP at 0x1.accf20c269868p-5, with tables 1.72 at
 * -0x1.364be2b0f550cp+2; float32 1.73 at 0x1.377fa2p-6, with tables 1.84 at -0x1.62c67ap+2.
 * Unfused: 1.87 at 0x1.1e64eb85bf98ap-3; 2.08 at 0x1.dbe26p-6. */
FL_INLINE V vsoftplus(V x)
{
    const V zero = vsplat(R(0.0));
    return vmax(x, zero) + vlog1p_unit(vexp_nonpositive(vminus_abs(x)));
}

/* h / (1 + h) = h - h (h / (1 + h)) with h = (e^(2|x|) - 1) / 2, and the sign of x. For small h the
 * second form damps the errors of 1 + h and of the division.
 * Worst error: float64 1.66 ULP at -0x1.d8604b279ffdcp-4; float32 1.70 at 0x1.fce94ep-5. Unfused:
 * 1.70 at -0x1.e0da11c3e796p-3; 1.88 at -0x1.f9a204p-4. */
FL_INLINE V vtanh(V x)
{
    const V magnitude = vabs(x);
    const V most = vsplat((REAL)(FL_BITS == 64 ? 40 : 20));
    const V h = FN(fl_half_expm1)(vmin(most, magnitude + magnitude));
    V y = h / (R(1.0) + h);
    y = vselect(h < R(0.5), h - h * y, y);
    return vcopysign(y, x);
}
