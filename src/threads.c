/* How many threads a kernel may use here and now. The only mutable state of the C core: whether this
 * process is the child of a fork, after which libgomp's pool is gone and waiting for it would hang. */
#include "kernels.h"

#ifdef _OPENMP
#include <omp.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif

static volatile int fl_forked = 0;

#if !defined(_WIN32)
static void fl_after_fork_in_child(void)
{
    fl_forked = 1;
}
#endif

void fl_install_fork_guard(void)
{
#if !defined(_WIN32)
    static int installed = 0;
    if (!installed) {
        installed = 1;
        pthread_atfork(NULL, NULL, fl_after_fork_in_child);
    }
#endif
}

int fl_openmp_available(void)
{
#ifdef _OPENMP
    return 1;
#else
    return 0;
#endif
}

/* Whether a parallel region may be entered at all: not after a fork, not inside another region. */
int fl_may_thread(void)
{
#ifdef _OPENMP
    return !fl_forked && !omp_in_parallel();
#else
    (void)fl_forked;
    return 0;
#endif
}

/* What OMP_NUM_THREADS, omp_set_num_threads (so threadpoolctl) or the affinity mask allow just now. */
int fl_thread_limit(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}
