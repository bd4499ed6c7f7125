# Lines that will be read soon, from where the processor does not expect it.
cdef extern from *:
    """
    #if defined(__GNUC__)
    #define fl_prefetch(p) __builtin_prefetch(p)
    #else
    #define fl_prefetch(p) ((void)(p))
    #endif
    """
    void fl_prefetch(const void* p) noexcept nogil
