use std::fmt;

/// What happened to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does not say what was written.
    Edited,
    Deleted,
    /// It stands elsewhere.
    Reordered,
    /// It was not written by the product.
    Inserted,
    /// It and all later ones are gone.
    CutOff,
    /// It and all later ones were written anew: their hashes fit each other, but not what was signed.
    Rewritten,
    /// The checkpoint at it was not signed by any key that is trusted.
    BadCheckpoint,
}

impl Fault {
    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Deleted => "deleted",
            Self::Reordered => "reordered",
            Self::Inserted => "inserted",
            Self::CutOff => "cut_off",
            Self::Rewritten => "rewritten",
            Self::BadCheckpoint => "bad_checkpoint",
        }
    }
}

/// The first entry that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstBad {
    pub id: i64,
    pub fault: Fault,
    /// One sentence: what was found, and how it shows.
    pub detail: String,
}

impl FirstBad {
    pub(super) fn new(id: i64, fault: Fault, detail: impl Into<String>) -> Self {
        Self {
            id,
            fault,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for FirstBad {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.detail)
    }
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Entries read.
    pub entries: u64,
    /// The last entry up to which all is as it was written; 0 for none.
    pub verified_to: i64,
    /// Checkpoints that an entry was compared with.
    pub checkpoints: u64,
    /// The last entry that a trusted checkpoint vouches for; 0 for none.
    pub signed_to: i64,
    pub first_bad: Option<FirstBad>,
}
