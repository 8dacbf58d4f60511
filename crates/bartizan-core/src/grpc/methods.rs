//! Which gRPC methods there are: a bounded set, registered or learned.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::GrpcCode;
use crate::route::Route;

/// Longest path of a method, in bytes.
pub(crate) const MAX_PATH: usize = 256;

/// The known methods by their paths. It is read without a lock: slots are filled once and never emptied.
pub(crate) struct Methods {
    /// Twice as many slots as there may be methods, made when the first one is known.
    slots: OnceLock<Box<[OnceLock<Route>]>>,
    known: AtomicUsize,
    max: usize,
    learns: bool,
}

impl Methods {
    /// A set that grows by what is called with success, up to so many.
    pub(crate) fn learned(max: usize) -> Self {
        Self { slots: OnceLock::new(), known: AtomicUsize::new(0), max, learns: true }
    }

    /// A set that stays as it is.
    pub(crate) fn registered<'a>(paths: impl ExactSizeIterator<Item = &'a str>) -> Self {
        let methods = Self { max: paths.len(), learns: false, ..Self::learned(0) };
        for path in paths {
            methods.add(path);
        }
        methods
    }

    pub(crate) fn find(&self, path: &str) -> Option<Route> {
        let slots = self.slots.get()?;
        let known = probe(slots, path).map_while(OnceLock::get).find(|route| route.as_str() == path);
        known.cloned()
    }

    /// Takes the path into the set, if a call to it that ended with this code tells that the method exists, and there is room.
    pub(crate) fn learn(&self, path: &str, code: GrpcCode) -> Option<Route> {
        if !self.learns || !tells_of_a_method(code) || !is_method(path) {
            return None;
        }
        self.add(path)
    }

    fn add(&self, path: &str) -> Option<Route> {
        let make = || (0..self.max * 2).map(|_| OnceLock::new()).collect();
        let slots = self.slots.get_or_init(make);
        for slot in probe(slots, path) {
            if slot.get().is_none() {
                let room = |known: usize| (known < self.max).then_some(known + 1);
                if self.known.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_err() {
                    return None;
                }
                // Another thread may fill the slot first, with this path or with another.
                if slot.set(Route::from(Arc::<str>::from(path))).is_err() {
                    self.known.fetch_sub(1, Ordering::Relaxed);
                }
            }
            if let Some(route) = slot.get().filter(|route| route.as_str() == path) {
                return Some(route.clone());
            }
        }
        None
    }
}

/// All slots, beginning where this path belongs.
fn probe<'a>(
    slots: &'a [OnceLock<Route>],
    path: &str,
) -> impl Iterator<Item = &'a OnceLock<Route>> + use<'a> {
    // FNV-1a: strangers cannot add to the set, so there is nothing to aim collisions at.
    let hash = path.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let start = if slots.is_empty() { 0 } else { (hash ^ (hash >> 32)) as usize % slots.len() };
    slots.iter().skip(start).chain(slots.iter().take(start))
}

impl Default for Methods {
    fn default() -> Self {
        Self::learned(512)
    }
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = self.slots.get().into_iter().flatten().filter_map(OnceLock::get);
        f.debug_set().entries(routes).finish()
    }
}

/// Whether only the method itself ends so. The others are what a router says of methods that do not exist, and what guards in
/// front of it say to any path.
fn tells_of_a_method(code: GrpcCode) -> bool {
    !matches!(
        code,
        GrpcCode::UNIMPLEMENTED
            | GrpcCode::UNAUTHENTICATED
            | GrpcCode::PERMISSION_DENIED
            | GrpcCode::RESOURCE_EXHAUSTED
            | GrpcCode::UNAVAILABLE
    )
}

/// Whether this is the path of a method: `/package.Service/Method`.
pub(crate) fn is_method(path: &str) -> bool {
    let name = |text: &str, dots: bool| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || (dots && byte == b'.');
        !text.is_empty() && text.bytes().all(allowed)
    };
    let parts = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    path.len() <= MAX_PATH
        && parts.is_some_and(|(service, method)| name(service, true) && name(method, false))
}

/// Whether this template of a router may be that of methods, which may be nested under a prefix.
pub(crate) fn is_template(template: &str) -> bool {
    let Some((service, method)) = template.rsplit_once('/') else { return false };
    let name = service.rsplit('/').next().unwrap_or_default();
    let any = service.strip_prefix('/') == Some(name) && name.starts_with('{') && method.starts_with('{');
    method.starts_with("{*") || name.contains('.') || any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_of_methods_are_told_from_those_of_resources() {
        for template in [
            "/a.B/{*rest}",
            "/B/{*rest}",
            "/a.B/C",
            "/a.B/{method}",
            "/{service}/{method}",
            "/{*path}",
            "/api/v1/{*rest}",
            "/api/v1/a.B/C",
        ] {
            assert!(is_template(template), "{template}");
        }
        for template in [
            "/",
            "/orders",
            "/orders/{id}",
            "/{tenant}/orders",
            "/{id}",
            "/orders/{id}/{item}",
            "/a.B/C/D",
            "",
        ] {
            assert!(!is_template(template), "{template}");
        }
    }

    fn name(route: Option<Route>) -> Option<String> {
        route.map(|route| route.as_str().to_owned())
    }

    #[test]
    fn a_method_is_learned_when_a_call_has_reached_it() {
        let methods = Methods::learned(512);
        let guards = [12, 16, 7, 8, 14];
        for number in 0..17 {
            let code = GrpcCode(number);
            let path = format!("/a.B/M{number}");
            assert_eq!(methods.find(&path).map(|_| ()), None);
            let learned = methods.learn(&path, code).is_some();
            assert_eq!(learned, !guards.contains(&number), "{code}");
            assert_eq!(methods.find(&path).is_some(), learned, "{code}");
        }
    }

    #[test]
    fn the_set_is_bounded_and_keeps_what_it_has() {
        let methods = Methods::learned(512);
        for n in 0..10_000 {
            let learned = methods.learn(&format!("/a.B/M{n}"), GrpcCode::OK);
            assert_eq!(learned.is_some(), n < 512, "{n}");
            assert!(methods.learn("/a.B/M0", GrpcCode::OK).is_some());
        }
        assert_eq!(name(methods.find("/a.B/M511")).as_deref(), Some("/a.B/M511"));
        assert_eq!(name(methods.find("/a.B/M512")), None);
        assert!(Methods::learned(0).learn("/a.B/C", GrpcCode::OK).is_none());
    }

    #[test]
    fn what_is_no_method_is_never_learned() {
        let methods = Methods::learned(512);
        let long = format!("/a/{}", "m".repeat(MAX_PATH));
        for path in
            ["/", "//", "/a.B/", "/a.B", "a.B/C", "/a.B/C/D", "/a.B/C%20", "/a b/C", "/a.B/C.D", &long]
        {
            assert!(methods.learn(path, GrpcCode::OK).is_none(), "{path}");
        }
    }

    #[test]
    fn a_registered_set_learns_nothing() {
        let methods = Methods::registered(["/a.B/C", "/a.B/D"].into_iter());
        assert_eq!(name(methods.find("/a.B/D")).as_deref(), Some("/a.B/D"));
        assert!(methods.learn("/a.B/E", GrpcCode::OK).is_none());
        assert!(methods.find("/a.B/E").is_none());
    }

    #[test]
    fn many_threads_learn_one_method_once() {
        let methods = Methods::learned(4);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for n in 0..4 {
                        methods.learn(&format!("/a.B/M{n}"), GrpcCode::OK);
                    }
                });
            }
        });
        assert!(methods.slots.get().into_iter().flatten().filter_map(OnceLock::get).count() <= 4);
        assert!(methods.find("/a.B/M0").is_some());
    }
}
