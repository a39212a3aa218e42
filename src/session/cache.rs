//! The memory of an isolate for session checks (the setting `SESSION_CACHE`).

use crate::id::UserId;
use crate::time::Timestamp;
use crate::user::{Session, SessionCookie};
use std::cell::OnceCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// The greatest number of checks that an isolate remembers.
const CHECKS_MAX: usize = 1_000;

/// The latest checks of sessions, the oldest first. Beyond [`CHECKS_MAX`] the oldest is removed.
#[derive(Debug, Default)]
pub struct SessionCache(VecDeque<Check>);

/// A check of a session at its user's object.
#[derive(Debug)]
struct Check {
    cookie: SessionCookie,
    /// A time before the object answered.
    started_at: Timestamp,
    answer: CheckAnswer,
}

/// The session that the object answered. Stays empty without an answer, or if there was no live session.
pub type CheckAnswer = Rc<OnceCell<Session>>;

impl SessionCache {
    /// The session of `cookie`, if a check that started less than `seconds` ago answered it. Returns `None` if a check
    /// would restart the idle limit or if a limit of the session has passed: only the object knows then.
    pub fn get(&self, cookie: &SessionCookie, seconds: u64, now: Timestamp) -> Option<Session> {
        let is_recent = |check: &&Check| check.cookie == *cookie && now.since(check.started_at) < seconds;
        let session = self.0.iter().rev().filter(is_recent).find_map(|check| check.answer.get())?;
        (session.is_live(now) && session.refreshed(now).is_none()).then(|| session.clone())
    }

    /// Adds a check that starts at `now`. The caller stores the answer. If the session is [forgotten](Self::forget) in
    /// the meantime, the answer is not found.
    pub fn start(&mut self, cookie: &SessionCookie, now: Timestamp) -> CheckAnswer {
        // A check that its caller dropped without an answer found no session.
        self.0.retain(|check| check.answer.get().is_some() || Rc::strong_count(&check.answer) > 1);
        if self.0.len() >= CHECKS_MAX {
            self.0.pop_front();
        }
        let answer = CheckAnswer::default();
        self.0.push_back(Check { cookie: cookie.clone(), started_at: now, answer: Rc::clone(&answer) });
        answer
    }

    /// Removes all checks of sessions of `user`, including those without an answer.
    pub fn forget(&mut self, user: &UserId) {
        self.0.retain(|check| check.cookie.sub != *user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::time::NOW_FOR_TEST as NOW;
    use crate::user::session_for_test;

    fn user(name: &str) -> UserId {
        UserId::parse(name).unwrap()
    }

    /// The `n`th session of a user. It was used at `NOW`.
    fn session(n: u8) -> Session {
        Session { id: SessionId::from_random([n; 16]), idle_seconds: 120, ..session_for_test() }
    }

    fn cookie(name: &str, session: &Session) -> SessionCookie {
        SessionCookie::of(&user(name), session, false)
    }

    /// Checks the session at `now`; the object answers it.
    fn check(cache: &mut SessionCache, name: &str, session: &Session, now: Timestamp) {
        cache.start(&cookie(name, session), now).set(session.clone()).unwrap();
    }

    #[test]
    fn an_answer_is_remembered_for_the_configured_seconds() {
        let mut cache = SessionCache::default();
        let session = session(1);
        check(&mut cache, "42", &session, NOW);
        for (seconds, after, is_remembered) in [
            (0, 0, false),
            (1, 0, true),
            (1, 1, false),
            (30, 29, true),
            (30, 30, false),
            (60, 59, true),
            (60, 60, false),
        ] {
            let remembered = cache.get(&cookie("42", &session), seconds, NOW.plus(after));
            assert_eq!(remembered, is_remembered.then(|| session.clone()), "{seconds} s, after {after} s");
        }
        check(&mut cache, "42", &session, NOW.plus(30));
        assert!(cache.get(&cookie("42", &session), 30, NOW.plus(59)).is_some());
    }

    #[test]
    fn an_answer_is_for_one_session_of_one_user() {
        let mut cache = SessionCache::default();
        check(&mut cache, "42", &session(1), NOW);
        for (name, id, is_remembered) in [("42", 1, true), ("42", 2, false), ("43", 1, false)] {
            assert_eq!(cache.get(&cookie(name, &session(id)), 60, NOW).is_some(), is_remembered, "{name} {id}");
        }
    }

    #[test]
    fn a_limit_of_the_session_ends_an_answer_before_its_time() {
        let absolute = Session { max_expires_at: NOW.plus(30), ..session(1) };
        let mut cache = SessionCache::default();
        check(&mut cache, "42", &absolute, NOW);
        for (after, is_remembered) in [(29, true), (30, false)] {
            assert_eq!(cache.get(&cookie("42", &absolute), 60, NOW.plus(after)).is_some(), is_remembered, "{after} s");
        }
    }

    #[test]
    fn a_check_that_restarts_the_idle_limit_reaches_the_object() {
        let session = session(1);
        let mut cache = SessionCache::default();
        check(&mut cache, "42", &session, NOW.plus(50));
        for after in 50..120 {
            let remembered = cache.get(&cookie("42", &session), 60, NOW.plus(after));
            assert_eq!(remembered.is_some(), session.refreshed(NOW.plus(after)).is_none(), "{after} s");
        }
    }

    #[test]
    fn a_check_without_a_session_is_not_remembered() {
        let mut cache = SessionCache::default();
        drop(cache.start(&cookie("42", &session(1)), NOW));
        assert_eq!(cache.get(&cookie("42", &session(1)), 60, NOW), None);
        drop(cache.start(&cookie("42", &session(1)), NOW));
        assert_eq!(cache.0.len(), 1, "the first check takes no place any more");
        check(&mut cache, "42", &session(1), NOW);
        let _in_flight = cache.start(&cookie("42", &session(1)), NOW);
        assert_eq!(cache.get(&cookie("42", &session(1)), 60, NOW), Some(session(1)));
    }

    #[test]
    fn the_sessions_of_a_user_are_forgotten_also_during_a_check() {
        let mut cache = SessionCache::default();
        for (name, id) in [("42", 1), ("42", 2), ("43", 3)] {
            check(&mut cache, name, &session(id), NOW);
        }
        let late = cache.start(&cookie("42", &session(4)), NOW);
        cache.forget(&user("42"));
        late.set(session(4)).unwrap();
        for (name, id, is_remembered) in [("42", 1, false), ("42", 2, false), ("43", 3, true), ("42", 4, false)] {
            assert_eq!(cache.get(&cookie(name, &session(id)), 60, NOW).is_some(), is_remembered, "{name} {id}");
        }
    }

    #[test]
    fn only_the_latest_checks_are_remembered() {
        let mut cache = SessionCache::default();
        for n in 0..=CHECKS_MAX {
            check(&mut cache, &n.to_string(), &session(1), NOW);
        }
        assert_eq!(cache.0.len(), CHECKS_MAX);
        for (n, is_remembered) in [(0, false), (1, true), (CHECKS_MAX, true)] {
            assert_eq!(cache.get(&cookie(&n.to_string(), &session(1)), 60, NOW).is_some(), is_remembered, "{n}");
        }
    }
}
