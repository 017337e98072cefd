//! What the product asks of the agent, and what the agent keeps of it on disk.

use agent::clock::Instant;
use agent::commands::denials::Denials;
use agent::commands::journal::Record;
use uuid::Uuid;

/// Some instants of the host's clock, milliseconds since 1970.
const CLOCKS: [i64; 4] = [0, 1_795_300_557_000, i64::MAX, i64::MIN];

/// On a host that tells how long it has been up, and on one that does not.
fn instants() -> impl Iterator<Item = Instant> {
    let uptimes = [None, Some((1_000, "a start of the host".to_owned()))];
    CLOCKS
        .into_iter()
        .flat_map(move |clock| uptimes.clone().map(|uptime| Instant { clock, uptime }))
}

/// An answer of `GET /api/v1/commands`: nobody is denied a connection for less, or kept out for more, than the product says.
pub(crate) fn commands_answer(input: &[u8]) {
    let Ok(told) = serde_json::from_slice::<agent_api::Commands>(input) else {
        return;
    };
    for (denial, now) in told
        .denials
        .iter()
        .flat_map(|denial| instants().map(move |now| (denial, now)))
    {
        let left = now.after(denial.expires_in_ms).left(&now);
        assert_eq!(
            left > 0,
            denial.expires_in_ms > 0 && (now.uptime.is_some() || now.clock < i64::MAX)
        );
    }
}

/// A command of the journal comes back as it was written.
pub(crate) fn command_record(input: &[u8]) {
    let Ok(record) = serde_json::from_slice::<Record>(input) else {
        return;
    };
    let written = serde_json::to_vec(&record).expect("a record is JSON");
    assert_eq!(serde_json::from_slice::<Record>(&written).ok().as_ref(), Some(&record));
    for now in CLOCKS {
        // What is not at its end is never forgotten.
        assert!(record.state.is_final() || !record.is_old(now));
    }
    assert!(record.watched_until() >= record.gone_at.unwrap_or_default());
}

/// The list that hooks read: it comes back as it was written, and all who ask it are told the same.
pub(crate) fn denials(input: &[u8]) {
    let Ok(list) = serde_json::from_slice::<Denials>(input) else {
        return;
    };
    let written = serde_json::to_vec(&list).expect("a list is JSON");
    assert_eq!(serde_json::from_slice::<Denials>(&written).ok().as_ref(), Some(&list));
    for now in instants() {
        let names = list.names(&now);
        for denial in &list.denials {
            let name = &denial.common_name;
            let left = list.refused_for(name, &now);
            assert_eq!(left.is_some(), names.contains(name));
            assert!(left.is_none_or(|left| left > 0 && left >= denial.until.left(&now)));
            // A session that nobody has spared.
            let stranger = Uuid::from_u128(u128::MAX);
            let is_spared = list.denials.iter().any(|denial| denial.spared.contains(&stranger));
            assert!(is_spared || list.refuses(stranger, name, &now) == left.is_some());
        }
    }
}
