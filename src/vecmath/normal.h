/* The normal distribution, through its hazard phi(x) / Phi(-x) = x + D(x) for x >= 0. */
#define vnormal_cdf FN(fl_normal_cdf)

/* D(x) for 0 <= x < 2^60 (2^28 in float32). With b = sqrt(pi/2), D(x) (x + b) is 1 at both ends and at
 * most 1.2; with q = (x - 7/2) / (x + 7/2), after Shepherd and Laframboise (1981), it is 1 + (1 - q^2)
 * G(q) with a polynomial G. In two steps, which a caller may do apart: this is (1 - q^2) G(q). */
FL_INLINE V FN(fl_normal_bump)(V x)
{
#if FL_BITS == 64
    static const double c[] = {
        0.19494165324572946,     -0.1346043472000692,     0.007437019227138535,
        0.037398181740267294,    -0.011668437360814226,   -0.010012034130188727,
        0.005378266913605102,    0.0027883422960886376,   -0.002025500070364451,
        -0.0008342192984816103,  0.0006882690848803747,   0.0002683883875773536,
        -0.00021366748679529533, -8.918298422035578e-05,  5.968229421941075e-05,
        2.860452784840587e-05,   -1.4568514407904606e-05, -8.184584827548099e-06,
        3.009955080159548e-06,   1.888191586778778e-06,   -5.251524720301731e-07,
        -2.861525139179528e-07,  8.500140435830094e-08,   5.773909349660221e-09,
        -1.3854821294186416e-08, 8.409397040299904e-09,   1.5344329443110572e-09,
        -1.4135100325838082e-09};
#else
    static const float c[] = {0.194941655f,    -0.13460435f,     0.00743670994f, 0.0373980515f,
                              -0.0116634164f,  -0.0100099444f,   0.00534727378f, 0.00277536968f,
                              -0.00193241553f, -0.000794879918f, 0.00053892174f, 0.000204166019f,
                              -8.3457322e-05f, -3.12566299e-05f};
#endif
    const V q = (x - R(3.5)) / (x + R(3.5)), q2 = q * q;
    return (R(1.0) - q2) * FN(fl_polynomial)(q, q2, c, sizeof c / sizeof *c);
}

/* D(x), given that. *low is what the sums and the quotient lose. Worst error 0.8 ULP. */
FL_INLINE V FN(fl_normal_excess_of)(V x, V bump, V *low)
{
#if FL_BITS == 64
    const REAL b = 1.2533141373155003, b_low = -9.164289990229583e-17;
#else
    const REAL b = 1.25331414f, b_low = -1.43301024e-10f;
#endif
    const V one = vsplat(R(1.0));
    const V numerator = one + bump, lost = (one - numerator) + bump;
    V error, product_low;
    const V denominator = FN(fl_two_sum)(x, vsplat(b), &error);
    const V quotient = FN(fl_opaque)(numerator / denominator);
    const V product = FN(fl_product)(quotient, denominator, &product_low);
    const V remainder = ((numerator - product) - product_low) + lost;
    /* over the denominator, which is the numerator's 1 to 1.2 over the quotient */
    *low = (remainder - quotient * (error + b_low)) * quotient;
    return quotient;
}

FL_INLINE V FN(fl_normal_excess)(V x, V *low)
{
    return FN(fl_normal_excess_of)(x, FN(fl_normal_bump)(x), low);
}

/* x + D(x) for x >= 0, times sqrt(2 pi): e^(-x^2/2) over this is Phi(-x). Worst error 1.2 ULP. */
FL_INLINE V FN(fl_normal_scaled_hazard)(V x, V excess, V excess_low)
{
#if FL_BITS == 64
    const REAL root = 2.5066282746310007, root_low = -1.8328579980459167e-16;
#else
    const REAL root = 2.50662827f, root_low = -2.86602048e-10f;
#endif
    V error, product_low;
    const V hazard = FN(fl_two_sum)(x, excess, &error), low = error + excess_low;
    const V product = FN(fl_product)(hazard, FN(fl_opaque)(vsplat(root)), &product_low);
    return product + (product_low + (root * low + root_low * hazard));
}

/* e^(-x^2/2), the square in a pair. Worst error 0.9 ULP. */
FL_INLINE V FN(fl_normal_bell)(V x)
{
    const V most = vsplat((REAL)(FL_BITS == 64 ? 40 : 15)), half = vsplat(R(0.5));
    const V bounded = vmin(most, vabs(x)); /* NaN stays */
    V error;
    const V square = FN(fl_product)(bounded, bounded, &error);
    return FN(fl_exp_of_sum)(-half * square, -half * error);
}

/* a / sqrt(2 pi) */
FL_INLINE V FN(fl_over_root_two_pi)(V a)
{
#if FL_BITS == 64
    const REAL inverse = 0.3989422804014327, inverse_low = -2.49232720227773e-17;
#else
    const REAL inverse = 0.398942292f, inverse_low = -1.13351701e-08f;
#endif
    V product_low;
    const V product = FN(fl_product)(a, FN(fl_opaque)(vsplat(inverse)), &product_low);
    return product + (product_low + inverse_low * a);
}

/* Phi(x): its tail below 0, and 1 less that above. Worst error 2.5 ULP. */
FL_INLINE V vnormal_cdf(V x)
{
    const V most = vsplat((REAL)(FL_BITS == 64 ? 0x1p60 : 0x1p28)), one = vsplat(R(1.0));
    const V size = vmin(most, vabs(x));
    V low;
    const V excess = FN(fl_normal_excess)(size, &low);
    const V tail = FN(fl_normal_bell)(x) / FN(fl_normal_scaled_hazard)(size, excess, low);
    return vselect(x > R(0.0), one - tail, tail);
}
