//! Pages of long lists.
//!
//! A total is counted exactly up to [`EXACT_UP_TO`] rows and estimated by the planner above. Lists ordered by time are
//! walked by keyset: a [`TimeCursor`] costs the same at any depth. A page number costs an index-only walk to its first row;
//! in the farther half of a list that its index alone can count, the walk begins at the far end.

mod cursor;
mod time_list;
mod total;

pub use cursor::{CursorId, NameCursor, TimeCursor};
pub use total::{EXACT_UP_TO, Total};

pub(crate) use time_list::{SortKey, TimeKey, TimeList};
pub(crate) use total::{bounded_count, count, explain, explain_statement, planned_rows};

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<C> {
    pub from: From<C>,
    /// Rows of the page, at least 1.
    pub per_page: u64,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From<C> {
    /// At a page number, from 1.
    Page(u64),
    /// Behind the last row of the page before.
    Cursor(C),
}

impl<C> PageRequest<C> {
    /// Rows before the page; 0 when it begins at a cursor.
    pub(crate) fn offset(&self) -> u64 {
        match self.from {
            From::Page(page) => page.saturating_sub(1).saturating_mul(self.per_page),
            From::Cursor(_) => 0,
        }
    }

    pub(crate) fn cursor(&self) -> Option<&C> {
        match &self.from {
            From::Page(_) => None,
            From::Cursor(cursor) => Some(cursor),
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C> {
    pub rows: Vec<T>,
    pub total: Total,
    /// Continues behind the last row; `None` at the list's end, or where the order has no cursor.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// The page of a list that is there as a whole.
    pub fn cut(rows: Vec<T>, request: &PageRequest<C>) -> Self {
        let total = Total::exactly(rows.len() as u64);
        let before = usize::try_from(request.offset()).unwrap_or(usize::MAX);
        let per_page = usize::try_from(request.per_page).unwrap_or(usize::MAX);
        Self {
            rows: rows.into_iter().skip(before).take(per_page).collect(),
            total,
            next: None,
        }
    }
}
