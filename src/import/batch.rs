//! Batches of lines. Signet processes the lines of a batch concurrently, and one batch after the other.

use super::{Content, Entry, Item, PROGRESS_LINES};
use crate::id::{ClientId, OwnedId, UserId};
use std::iter::Peekable;

/// The greatest number of lines in a batch. Cloudflare opens six connections at a time for a request and queues the others.
const LINES_MAX: usize = 16;

/// Groups lines into batches whose result does not depend on the order of processing: no two lines of a batch name the same user,
/// service, `client_id` or number, and a batch has either accounts or credential sets. A batch ends where progress is reported.
pub struct Batches<I: Iterator<Item = Item>>(Peekable<I>);

impl<I: Iterator<Item = Item>> Batches<I> {
    pub fn of(items: impl IntoIterator<IntoIter = I>) -> Self {
        Self(items.into_iter().peekable())
    }
}

impl<I: Iterator<Item = Item>> Iterator for Batches<I> {
    type Item = Vec<Item>;

    fn next(&mut self) -> Option<Vec<Item>> {
        let (mut batch, mut subjects) = (Vec::new(), Subjects::default());
        while batch.len() < LINES_MAX
            && let Some(item) = self.0.next_if(|item| subjects.add(item))
        {
            let is_progress_line = item.line.is_multiple_of(PROGRESS_LINES);
            batch.push(item);
            if is_progress_line {
                break;
            }
        }
        (!batch.is_empty()).then_some(batch)
    }
}

/// Something that a line changes.
#[derive(PartialEq, Eq)]
enum Subject {
    User(UserId),
    Service(OwnedId),
    Client(ClientId),
    Number(u32),
}

/// The subjects of all lines of a batch.
#[derive(Default)]
struct Subjects {
    has_accounts: Option<bool>,
    seen: Vec<Subject>,
}

impl Subjects {
    /// Adds the subjects of `item`. Returns false, and adds none, if the item does not fit into the batch.
    fn add(&mut self, item: &Item) -> bool {
        let (is_account, subjects): (_, Vec<_>) = match &item.content {
            Content::Blank | Content::Refused(_) => return true,
            Content::Entry(Entry::Account(user, account)) => {
                let services = account.services.iter().cloned().map(Subject::Service);
                (true, services.chain([Subject::User(user.clone())]).collect())
            }
            Content::Entry(Entry::Credential(entry)) => {
                (false, vec![Subject::Client(entry.client_id.clone()), Subject::Number(entry.number())])
            }
        };
        let fits = self.has_accounts.is_none_or(|has_accounts| has_accounts == is_account)
            && !subjects.iter().any(|subject| self.seen.contains(subject));
        if fits {
            self.has_accounts = Some(is_account);
            self.seen.extend(subjects);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{CredentialEntry, RawLine};
    use serde_json::json;

    /// The numbers of the lines in each batch.
    fn grouped(lines: &[String]) -> Vec<Vec<u64>> {
        let raw =
            lines.iter().zip(1..).map(|(line, number)| RawLine { number, bytes: Some(line.clone().into_bytes()) });
        let items: Vec<_> = raw.map(|line| Item::parse(&line)).collect();
        Batches::of(items).map(|batch| batch.iter().map(|item| item.line).collect()).collect()
    }

    fn account(user: &str, services: &[u32]) -> String {
        json!({"user_id": user, "account": {"status": "Active", "services": services}}).to_string()
    }

    fn credential(id: &str) -> String {
        let set = json!({"name": "P", "scopes": [], "user_id": "1"});
        json!({"client_id": id, "client_secret": "a-secret-of-at-least-32-characters", "credential": set}).to_string()
    }

    #[test]
    fn a_batch_has_at_most_16_lines() {
        let lines: Vec<_> = (0..40).map(|n| account(&n.to_string(), &[])).collect();
        assert_eq!(grouped(&lines).iter().map(Vec::len).collect::<Vec<_>>(), [16, 16, 8]);
        assert_eq!(grouped(&[]), Vec::<Vec<u64>>::new());
    }

    #[test]
    fn lines_with_a_common_subject_are_in_different_batches() {
        for (first, second, are_together) in [
            (account("a", &[]), account("b", &[]), true),
            (account("a", &[]), account("a", &[1]), false),
            (account("a", &[1, 2]), account("b", &[3]), true),
            (account("a", &[1, 2]), account("b", &[3, 2]), false),
            (account("a", &[1, 1]), account("b", &[]), true),
            (credential("a"), credential("b"), true),
            (credential("a"), credential("a"), false),
            (account("a", &[]), credential("b"), false),
            (credential("b"), account("a", &[]), false),
            (account("a", &[]), String::new(), true),
            (String::new(), credential("a"), true),
            ("x".to_owned(), "x".to_owned(), true),
        ] {
            let expected = if are_together { vec![vec![1, 2]] } else { vec![vec![1], vec![2]] };
            assert_eq!(grouped(&[first.clone(), second.clone()]), expected, "{first} {second}");
        }
        let kinds_apart = [account("a", &[]), "x".to_owned(), credential("a"), credential("b"), account("b", &[])];
        assert_eq!(grouped(&kinds_apart), [vec![1, 2], vec![3, 4], vec![5]]);
    }

    #[test]
    fn credential_sets_of_one_number_are_in_different_batches() {
        let entry = |id: &str, number| {
            let parsed = Item::parse(&RawLine { number: 1, bytes: Some(credential(id).into_bytes()) });
            let Content::Entry(Entry::Credential(entry)) = parsed.content else { panic!("{parsed:?}") };
            let entry = CredentialEntry { number, ..*entry };
            Item { line: 1, content: Content::Entry(Entry::Credential(Box::new(entry))) }
        };
        let batches = |b| Batches::of([entry("a", Some(7)), entry("b", b)]).count();
        assert_eq!((batches(Some(7)), batches(Some(8)), batches(None)), (2, 1, 1));
        let number_of_b = ClientId::parse("b").unwrap().number();
        assert_eq!(Batches::of([entry("a", Some(number_of_b)), entry("b", None)]).count(), 2);
    }

    #[test]
    fn a_batch_ends_where_progress_is_reported() {
        let lines: Vec<_> =
            (0..2_001).map(|n| if n % 2 == 0 { String::new() } else { account(&n.to_string(), &[]) }).collect();
        let batches = grouped(&lines);
        let ends: Vec<_> = batches.iter().filter_map(|batch| batch.last()).filter(|end| *end % 1_000 == 0).collect();
        assert_eq!(ends, [&1_000, &2_000]);
        assert_eq!(batches.concat(), Vec::from_iter(1..=2_001));
    }
}
