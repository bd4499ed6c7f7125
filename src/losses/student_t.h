/* Negative log-likelihood of Student's t without its constant: (df + 1) / 2 log1p(r^2 / (df scale^2)), r =
 * f - y: Cauchy's kernel with c = scale sqrt(df), a = (df + 1) / 2 and d = (df + 1) / c^2. Worst error 3 ULP, of the
 * Hessian 4.
 * Parameters: as in cauchy.h.
 */
#include "losses/cauchy.h"

FL_INLINE void FN(student_t)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    FN(cauchy)(y, f, t, p, loss, gradient, hessian);
}
