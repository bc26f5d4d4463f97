//! libtorch's process groups, through the C interface in `c10d.cc`.
#![allow(unsafe_code)]

use std::{
    ffi::{CStr, CString, c_char},
    ptr::{self, NonNull},
    time::Duration,
};

use tch::Tensor;
use torch_sys::C_tensor;

/// An owner of something that `c10d.cc` made: freed once, by the function that its kind names.
macro_rules! owned {
    ($(#[$doc:meta])* $name:ident, $opaque:ident, $free:ident) => {
        #[repr(C)]
        struct $opaque {
            _private: [u8; 0],
        }

        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $name(NonNull<$opaque>);

        // SAFETY: libtorch's stores, groups and tensors have no home thread.
        unsafe impl Send for $name {}

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: made by `c10d.cc`, owned here alone, dropped once.
                unsafe { $free(self.0.as_ptr()) }
            }
        }
    };
}

owned!(
    /// A few keys with values that every rank can read and write.
    Store,
    planet_store,
    planet_store_free
);
owned!(
    /// What all ranks do together, all of them in the same order.
    C10dGroup,
    planet_group,
    planet_group_free
);
owned!(
    /// Gradients of parameters, summed over all ranks in pieces while they are computed.
    Buckets,
    planet_buckets,
    planet_buckets_free
);

// SAFETY: a store locks itself.
unsafe impl Sync for Store {}

// SAFETY: `abort` alone is called beside other calls; it sets an atomic and ends NCCL's work,
// which is made for that.
unsafe impl Sync for C10dGroup {}

type Text = *mut c_char;

unsafe extern "C" {
    fn planet_text_free(text: Text);
    fn planet_store_connect(
        host: *const c_char,
        port: u16,
        serves: bool,
        ranks: usize,
        prefix: *const c_char,
        timeout_ms: u64,
        out: *mut *mut planet_store,
    ) -> Text;
    fn planet_store_clone(
        store: *mut planet_store,
        timeout_ms: u64,
        out: *mut *mut planet_store,
    ) -> Text;
    fn planet_store_set(
        store: *mut planet_store,
        key: *const c_char,
        value: *const u8,
        length: usize,
    ) -> Text;
    fn planet_store_get(
        store: *mut planet_store,
        key: *const c_char,
        wait: bool,
        out: *mut Text,
    ) -> Text;
    fn planet_store_free(store: *mut planet_store);
    fn planet_group_join(
        store: *mut planet_store,
        rank: i32,
        size: i32,
        address: *const c_char,
        interface: *const c_char,
        timeout_ms: u64,
        out: *mut *mut planet_group,
    ) -> Text;
    fn planet_group_join_nccl(
        group: *mut planet_group,
        store: *mut planet_store,
        rank: i32,
        timeout_ms: u64,
    ) -> Text;
    fn planet_group_abort(group: *mut planet_group) -> Text;
    fn planet_group_free(group: *mut planet_group);
    fn planet_group_sum(
        group: *mut planet_group,
        tensors: *const *const C_tensor,
        count: usize,
    ) -> Text;
    fn planet_group_broadcast(
        group: *mut planet_group,
        tensors: *const *const C_tensor,
        count: usize,
    ) -> Text;
    fn planet_group_sum_with_gradient(
        group: *mut planet_group,
        values: *const C_tensor,
        out: *mut *mut C_tensor,
    ) -> Text;
    fn planet_buckets_new(
        group: *mut planet_group,
        flats: *const *const C_tensor,
        buckets: usize,
        parameters: *const *const C_tensor,
        windows: *const *const C_tensor,
        bucket_of: *const usize,
        count: usize,
        out: *mut *mut planet_buckets,
    ) -> Text;
    fn planet_buckets_begin(buckets: *mut planet_buckets, loss: *const C_tensor) -> Text;
    fn planet_buckets_finish(buckets: *mut planet_buckets, loss: *mut *mut C_tensor) -> Text;
    fn planet_buckets_free(buckets: *mut planet_buckets);
}

/// What a function of `c10d.cc` answered: nothing, or what went wrong.
fn check(text: Text) -> Result<(), String> {
    if text.is_null() {
        return Ok(());
    }
    // SAFETY: a text of `c10d.cc` ends with a zero and is ours to free.
    let what = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    unsafe { planet_text_free(text) };
    // What follows the first line is libtorch's own stack.
    Err(what.lines().next().unwrap_or_default().to_owned())
}

/// What a function of `c10d.cc` made.
fn made<T>(text: Text, out: *mut T) -> Result<NonNull<T>, String> {
    check(text)?;
    NonNull::new(out).ok_or_else(|| "libtorch gave nothing".to_owned())
}

fn text(value: &str) -> Result<CString, String> {
    CString::new(value).map_err(|_| format!("{value:?} holds a zero byte"))
}

fn number(value: usize) -> Result<i32, String> {
    i32::try_from(value).map_err(|_| "too many ranks".to_owned())
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn pointers<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Vec<*const C_tensor> {
    tensors.into_iter().map(Tensor::as_ptr).collect()
}

impl Store {
    /// Connects; the rank that `serves` holds the keys. All keys begin with `prefix`.
    pub(super) fn connect(
        (host, port): (&str, u16),
        serves: bool,
        ranks: usize,
        prefix: &str,
        timeout: Duration,
    ) -> Result<Self, String> {
        let (host, prefix) = (text(host)?, text(prefix)?);
        let (mut out, timeout) = (ptr::null_mut(), milliseconds(timeout));
        // SAFETY: texts live through the call, `out` is written by it.
        let answer = unsafe {
            let (host, prefix) = (host.as_ptr(), prefix.as_ptr());
            planet_store_connect(host, port, serves, ranks, prefix, timeout, &raw mut out)
        };
        made(answer, out).map(Self)
    }

    /// The same through a connection of its own, for another thread.
    pub(super) fn connect_again(&self, timeout: Duration) -> Result<Self, String> {
        let mut out = ptr::null_mut();
        let timeout = milliseconds(timeout);
        // SAFETY: the store is whole, `out` is written by the call.
        let answer = unsafe { planet_store_clone(self.0.as_ptr(), timeout, &raw mut out) };
        made(answer, out).map(Self)
    }

    pub(super) fn set(&self, key: &str, value: &str) -> Result<(), String> {
        let key = text(key)?;
        // SAFETY: the value is as long as said and is copied.
        check(unsafe {
            planet_store_set(self.0.as_ptr(), key.as_ptr(), value.as_ptr(), value.len())
        })
    }

    /// A key's value, if it has one.
    pub(super) fn get(&self, key: &str) -> Result<Option<String>, String> {
        self.read(key, false)
    }

    /// A key's value, when it has one.
    pub(super) fn wait_for(&self, key: &str) -> Result<String, String> {
        self.read(key, true).map(Option::unwrap_or_default)
    }

    fn read(&self, key: &str, wait: bool) -> Result<Option<String>, String> {
        let (key, mut out) = (text(key)?, ptr::null_mut());
        // SAFETY: the key lives through the call, `out` is written by it.
        check(unsafe { planet_store_get(self.0.as_ptr(), key.as_ptr(), wait, &raw mut out) })?;
        if out.is_null() {
            return Ok(None);
        }
        // SAFETY: a text that ends with a zero and is ours to free.
        let value = unsafe { CStr::from_ptr(out) }.to_string_lossy().into_owned();
        unsafe { planet_text_free(out) };
        Ok(Some(value))
    }
}

impl C10dGroup {
    /// Joins; waits for all others. `address` or `interface` is where the others reach this
    /// machine; libtorch finds out where both are empty.
    pub(super) fn join(
        store: &Store,
        (rank, size): (usize, usize),
        (address, interface): (&str, &str),
        timeout: Duration,
    ) -> Result<Self, String> {
        let (address, interface) = (text(address)?, text(interface)?);
        let (rank, size) = (number(rank)?, number(size)?);
        let (mut out, timeout) = (ptr::null_mut(), milliseconds(timeout));
        // SAFETY: texts live through the call, `out` is written by it; the group keeps its own
        // reference to the store.
        let answer = unsafe {
            let (address, interface) = (address.as_ptr(), interface.as_ptr());
            let store = store.0.as_ptr();
            planet_group_join(store, rank, size, address, interface, timeout, &raw mut out)
        };
        made(answer, out).map(Self)
    }

    /// Joins once more, so that NCCL sums what lies on GPUs.
    pub(super) fn join_nccl(
        &self,
        store: &Store,
        rank: usize,
        timeout: Duration,
    ) -> Result<(), String> {
        let (rank, timeout) = (number(rank)?, milliseconds(timeout));
        // SAFETY: both are whole; the group keeps its own reference to the store.
        check(unsafe { planet_group_join_nccl(self.0.as_ptr(), store.0.as_ptr(), rank, timeout) })
    }

    /// Ends whatever waits for another rank, in any thread.
    pub(super) fn abort(&self) -> Result<(), String> {
        // SAFETY: may be called beside everything else.
        check(unsafe { planet_group_abort(self.0.as_ptr()) })
    }

    /// Sums tensors over all ranks, each in its place.
    pub(super) fn sum<'a>(
        &self,
        tensors: impl IntoIterator<Item = &'a Tensor>,
    ) -> Result<(), String> {
        let all = pointers(tensors);
        // SAFETY: the tensors live through the call, which waits until the work is done.
        check(unsafe { planet_group_sum(self.0.as_ptr(), all.as_ptr(), all.len()) })
    }

    /// Puts rank 0's tensors in the place of everybody's.
    pub(super) fn broadcast<'a>(
        &self,
        tensors: impl IntoIterator<Item = &'a Tensor>,
    ) -> Result<(), String> {
        let all = pointers(tensors);
        // SAFETY: the tensors live through the call, which waits until the work is done.
        check(unsafe { planet_group_broadcast(self.0.as_ptr(), all.as_ptr(), all.len()) })
    }

    /// The sum over all ranks; gradients are summed on their way back. The group must live
    /// until the backward pass is done.
    pub(super) fn sum_with_gradient(&self, values: &Tensor) -> Result<Tensor, String> {
        let mut out = ptr::null_mut();
        // SAFETY: the tensor lives through the call, `out` is a new tensor that is ours.
        unsafe {
            let group = self.0.as_ptr();
            let answer = planet_group_sum_with_gradient(group, values.as_ptr(), &raw mut out);
            made(answer, out).map(|tensor| Tensor::from_ptr(tensor.as_ptr()))
        }
    }
}

/// Where a gradient goes.
pub(super) struct Window<'a> {
    /// The leaf that it is of.
    pub(super) parameter: &'a Tensor,
    /// A part of its bucket.
    pub(super) place: Tensor,
    /// The bucket's number.
    pub(super) bucket: usize,
}

impl Buckets {
    /// Sums these flat tensors, in their order, as soon as their windows are filled. The group
    /// must live longer.
    pub(super) fn new(
        group: &C10dGroup,
        flats: &[Tensor],
        windows: &[Window<'_>],
    ) -> Result<Self, String> {
        let flats = pointers(flats);
        let parameters = pointers(windows.iter().map(|window| window.parameter));
        let places = pointers(windows.iter().map(|window| &window.place));
        let bucket_of: Vec<usize> = windows.iter().map(|window| window.bucket).collect();
        assert!(bucket_of.iter().all(|bucket| *bucket < flats.len()), "a bucket that is there");
        let mut out = ptr::null_mut();
        // SAFETY: the tensors live through the call, which keeps its own references to them; the
        // lists are as long as said, and every number is one of a bucket.
        let answer = unsafe {
            planet_buckets_new(
                group.0.as_ptr(),
                flats.as_ptr(),
                flats.len(),
                parameters.as_ptr(),
                places.as_ptr(),
                bucket_of.as_ptr(),
                windows.len(),
                &raw mut out,
            )
        };
        made(answer, out).map(Self)
    }

    /// Before the backward pass of this loss.
    pub(super) fn begin(&self, loss: &Tensor) -> Result<(), String> {
        // SAFETY: the tensor lives through the call, which copies its value.
        check(unsafe { planet_buckets_begin(self.0.as_ptr(), loss.as_ptr()) })
    }

    /// After it: every gradient is then the mean over all ranks. Gives the mean loss.
    pub(super) fn finish(&self) -> Result<Tensor, String> {
        let mut out = ptr::null_mut();
        // SAFETY: `out` is a new tensor that is ours.
        unsafe {
            let answer = planet_buckets_finish(self.0.as_ptr(), &raw mut out);
            made(answer, out).map(|tensor| Tensor::from_ptr(tensor.as_ptr()))
        }
    }
}
