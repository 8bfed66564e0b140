//! The heap of a command that answers and goes.

/// Asks for a heap in large pages. Findings are many small things that are made once and go with the
/// process; most of what they cost the kernel is to hand out their memory four kilobytes at a time.
/// Nothing is taken that is not used, and where it cannot be had all is as it was.
pub(crate) fn in_large_pages() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::in_large_pages();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc {
    /// The most that glibc takes from the heap at once.
    const AT_ONCE: usize = 31 << 20;
    const TIMES: usize = 4;
    const LARGE_PAGE: usize = 2 << 20;

    #[expect(unsafe_code, reason = "there is no other way to glibc's heap")]
    pub(super) fn in_large_pages() {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the place is ours to write to.
        let told = unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) };
        if told != 0 || limit.rlim_cur != libc::RLIM_INFINITY {
            // Addresses are scarce here, and room is addresses.
            return;
        }
        // SAFETY: `mallopt` sets numbers. What `malloc` gave is only advised about, within its
        // bounds, and freed once; freed, it stays the heap's upper end, which is what we want.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20);
            libc::mallopt(libc::M_TRIM_THRESHOLD, 1 << 30);
            let rooms = [(); TIMES].map(|()| libc::malloc(AT_ONCE));
            for room in rooms.into_iter().filter(|it| !it.is_null()) {
                let begin = (room as usize).next_multiple_of(LARGE_PAGE);
                let end = room as usize + AT_ONCE;
                libc::madvise(begin as *mut _, end.saturating_sub(begin), libc::MADV_HUGEPAGE);
            }
            for room in rooms {
                libc::free(room);
            }
        }
    }
}
