use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::Once,
};

thread_local! {
    /// Whether this thread's panics are caught and reported by the caller of [`guarded`].
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Does some work of which a panic must cost one photo and not the run. It returns what the panic
/// said, and nothing is printed: the program's hook for panics is asked only about others.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_GUARDED.get() {
                before(panic);
            }
        }));
    });
    let was_guarded = IS_GUARDED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(was_guarded);
    done.map_err(|panic| message(&*panic))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no reason given").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_and_the_thread_goes_on() {
        assert_eq!(guarded(|| 7), Ok(7));
        assert_eq!(guarded(|| -> u8 { panic!("a plain word") }), Err("a plain word".to_owned()));
        let number = 3;
        let told = guarded(|| -> u8 { panic!("row {number}") });
        assert_eq!(told, Err("row 3".to_owned()));
        assert!(!IS_GUARDED.get());
    }

    #[test]
    fn one_guard_within_another_leaves_the_outer_one_in_place() {
        let inner = guarded(|| (guarded(|| -> u8 { panic!("inner") }), IS_GUARDED.get()));
        assert_eq!(inner, Ok((Err("inner".to_owned()), true)));
    }
}
