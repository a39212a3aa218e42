use super::*;
use crate::secret::{entry_for_test as entry, key_for_test};
use serde_json::json;

fn ring(entries: &[&str]) -> KeyRing {
    KeyRing::parse(&entries.join(",")).ok().unwrap()
}

#[test]
fn each_mistake_in_the_setting_has_its_problem() {
    let short = format!("k1:{}", URL_SAFE_NO_PAD.encode([7; 31]));
    let many: Vec<_> = (0..9).map(|n| entry(&format!("k{n}"), n)).collect();
    let weak = format!("k1:{}", URL_SAFE_NO_PAD.encode([7; 32]));
    let padded = format!("b:{}", URL_SAFE_NO_PAD.encode([key_for_test(0).as_slice(), &[0]].concat()));
    let long_kid = entry(&"k".repeat(33), 1);
    for (text, problem) in [
        ("", KeyRingProblem::Empty),
        (" , \n", KeyRingProblem::Empty),
        ("changeme", KeyRingProblem::Malformed),
        ("k1:", KeyRingProblem::Short),
        ("k1:*", KeyRingProblem::Malformed),
        (":AAAA", KeyRingProblem::Malformed),
        (&long_kid, KeyRingProblem::Malformed),
        (&short, KeyRingProblem::Short),
        (&format!("{},{}", entry("a", 1), entry("a", 2)), KeyRingProblem::DuplicateKid),
        (&format!("{},{}", entry("a", 1), entry("b", 1)), KeyRingProblem::DuplicateKey),
        (&format!("{},{padded}", entry("a", 0)), KeyRingProblem::DuplicateKey),
        (&weak, KeyRingProblem::Weak),
        (&format!("{},{weak}", entry("a", 1)), KeyRingProblem::Weak),
        (&many.join(","), KeyRingProblem::TooMany),
        (&entry("a.b", 1), KeyRingProblem::Malformed),
        (&entry("a\"b", 1), KeyRingProblem::Malformed),
        (&entry("é", 1), KeyRingProblem::Malformed),
    ] {
        assert_eq!(KeyRing::parse(text).err(), Some(problem), "{text:?}");
    }
}

#[test]
fn a_kid_may_have_letters_digits_underscores_and_hyphens() {
    for kid in ["k1", "2026-11_A", "_", "-", &"k".repeat(32)] {
        assert!(KeyRing::parse(&entry(kid, 1)).is_ok(), "{kid}");
    }
}

#[test]
fn each_problem_has_its_message() {
    let messages = [
        (KeyRingProblem::Empty, "is missing"),
        (KeyRingProblem::TooMany, "has more than 8 entries"),
        (KeyRingProblem::Malformed, "has an entry that is not kid:base64url"),
        (KeyRingProblem::DuplicateKid, "has two entries with the same kid"),
        (KeyRingProblem::Short, "has a key of fewer than 32 bytes"),
        (KeyRingProblem::Weak, "has a key of fewer than 6 different bytes, or of one repeated text"),
        (KeyRingProblem::DuplicateKey, "has two entries with the same key"),
    ];
    for (problem, message) in messages {
        assert_eq!(problem.message(), message);
    }
}

#[test]
fn assertion_keys_come_in_the_order_of_the_ring() {
    let ring = ring(&[&entry("new", 2), &entry("old", 1)]);
    assert_eq!(ring.assertion_keys().map(AssertionKey::kid).collect::<Vec<_>>(), ["new", "old"]);
}

#[test]
fn the_first_key_signs_and_every_key_verifies() {
    let (old, new) = (entry("old", 1), entry("new", 2));
    let before = ring(&[&old]).sign(Purpose::SsoToken, &json!({})).unwrap();
    let rotated = ring(&[&new, &old]);
    assert!(rotated.verify(Purpose::SsoToken, &before).is_some());
    let after = rotated.sign(Purpose::SsoToken, &json!({})).unwrap();
    assert!(ring(&[&new]).verify(Purpose::SsoToken, &after).is_some());
    assert!(ring(&[&new]).verify(Purpose::SsoToken, &before).is_none(), "a removed key verifies nothing");
}

#[test]
fn the_same_kid_with_another_key_verifies_nothing() {
    let text = ring(&[&entry("k", 1)]).sign(Purpose::SsoToken, &json!({})).unwrap();
    assert!(ring(&[&entry("k", 2)]).verify(Purpose::SsoToken, &text).is_none());
}

#[test]
fn a_text_signed_for_one_purpose_is_invalid_for_another() {
    let ring = ring(&[&entry("k", 1)]);
    for made in Purpose::ALL {
        let text = ring.sign(made, &json!({"sub": "1"})).unwrap();
        for asked in Purpose::ALL {
            assert_eq!(ring.verify(asked, &text).is_some(), made == asked, "{made:?} as {asked:?}");
        }
    }
}

#[test]
fn wire_form_is_unchanged() {
    let text = ring(&[&entry("k1", 7)]).sign(Purpose::SsoToken, &json!({"a": 1})).unwrap();
    assert_eq!(
        text,
        "eyJhbGciOiJIUzI1NiIsInR5cCI6InNzbytqd3QiLCJraWQiOiJrMSJ9.eyJhIjoxfQ.0WMyiPqGoo34LCR-395oGJj019iRpfHGpIZPQtmEUPQ"
    );
}
