/* The same kernel without the promise of equal bits: each thread takes one contiguous share of the
 * samples, and OpenMP adds the threads' sums in whatever order they come. determinism.py compiles it
 * and hands it the function of the library itself.
 */
#include <string.h>

#include <omp.h>

#include "kernels.h"

/* One share; the sum of its losses. */
static double share(FlPointwiseFn function, const double *params, const char *y, const char *f,
                    char *gradient, ptrdiff_t n, double scale, int stream)
{
    FlPointwiseBlock block;
    double sum = 0.0;
    memset(&block, 0, sizeof block);
    block.y_true = y;
    block.raw_prediction = f;
    block.gradient = gradient;
    block.params = params;
    block.scale = scale;
    block.stream = stream;
    function(&block, n);
    for (int i = 0; i < FL_SUM_LANES; i++)
        sum += block.sums[i];
    return sum;
}

/* The blocks of one thread lie together; a block of 0 samples stands for the thread's whole share. */
double unordered_loss_gradient(const FlKernels *kernels, int id, int precision,
                               const double *params, const char *y, const char *f, char *gradient,
                               ptrdiff_t n, ptrdiff_t length, int stream, int threads)
{
    FlPointwiseFn function = kernels->pointwise[id]->run[FL_LOSS_GRADIENT][precision];
    const ptrdiff_t item = precision == FL_F64 ? 8 : 4;
    double sum = 0.0;
#pragma omp parallel num_threads(threads) reduction(+ : sum)
    {
        const ptrdiff_t team = omp_get_num_threads(), me = omp_get_thread_num();
        const ptrdiff_t start = n / 64 * me / team * 64;
        const ptrdiff_t end = me + 1 < team ? n / 64 * (me + 1) / team * 64 : n;
        const ptrdiff_t step = length ? length : end - start;
        for (ptrdiff_t i = start; i < end; i += step)
            sum += share(function, params, y + i * item, f + i * item, gradient + i * item,
                         end - i < step ? end - i : step, 1.0 / (double)n, stream);
    }
    return sum / (double)n;
}

/* FL_ID_<name> of losses.def, by name; -1 without such a loss. */
int loss_id(const char *name)
{
    static const char *const names[] = {
#define FL_POINTWISE(loss, labels, link, stage) #loss,
#include "losses.def"
#undef FL_POINTWISE
    };
    for (int i = 0; i < FL_N_POINTWISE; i++)
        if (!strcmp(names[i], name))
            return i;
    return -1;
}
