//! Pages of lists: `page`, `per_page` and `cursor` in, totals and `next_cursor` out.

use db::paging::{CursorId, From, NameCursor, Page, PageRequest, TimeCursor};
use serde::Serialize;
use service_kit::Problem;
use utoipa::{IntoParams, ToSchema};

use crate::error::invalid_parameter;
use crate::parameters::Parameters;

const PER_PAGE: u64 = 50;
const MOST_PER_PAGE: u64 = 500;
const LAST_PAGE: u64 = 1_000_000_000;

/// Where a page lies in its list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PageInfo {
    /// Rows in the whole list: exact up to 10,000, else an estimate.
    total: u64,
    total_is_estimate: bool,
    /// Null for a page that was reached by a cursor.
    page: Option<u64>,
    per_page: u64,
    pages: u64,
    /// For `cursor`: continues behind the last row. Null at the end, or where the order has no cursor.
    next_cursor: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct PageParams {
    /// Page number, from 1.
    #[param(minimum = 1)]
    page: Option<u64>,
    /// Rows of a page; 50 when not given.
    #[param(minimum = 1, maximum = 500)]
    per_page: Option<u64>,
    /// `next_cursor` of the page before, instead of `page`: costs the same at any depth.
    cursor: Option<String>,
}

/// A cursor as it travels in a URL.
pub(crate) trait Opaque: Sized {
    fn encode(&self) -> String;
    fn decode(text: &str) -> Option<Self>;
    fn is_descending(&self) -> bool;
}

impl<Id: CursorId> Opaque for TimeCursor<Id> {
    fn encode(&self) -> String {
        Self::encode(self)
    }

    fn decode(text: &str) -> Option<Self> {
        Self::decode(text)
    }

    fn is_descending(&self) -> bool {
        self.descending
    }
}

impl Opaque for NameCursor {
    fn encode(&self) -> String {
        Self::encode(self)
    }

    fn decode(text: &str) -> Option<Self> {
        Self::decode(text)
    }

    fn is_descending(&self) -> bool {
        self.descending
    }
}

/// Reads `page`, `per_page` and `cursor` of a list that can be walked in one direction by cursor, or in none.
pub(crate) fn request<P: IntoParams, C: Opaque>(
    parameters: &Parameters<P>,
    cursor_descending: Option<bool>,
) -> Result<PageRequest<C>, Problem> {
    let number = |most: u64| move |text: &str| text.parse().ok().filter(|number| (1..=most).contains(number));
    let per_page = parameters
        .value("per_page", "a number from 1 to 500", number(MOST_PER_PAGE))?
        .unwrap_or(PER_PAGE);
    let page: Option<u64> = parameters.value("page", "a number from 1", number(LAST_PAGE))?;
    let cursor: Option<C> = parameters.value("cursor", "a `next_cursor`", C::decode)?;
    let from = match (page, cursor) {
        (page, None) => From::Page(page.unwrap_or(1)),
        (Some(_), Some(_)) => return Err(invalid_parameter("cursor", "Give `page` or `cursor`, not both.")),
        (None, Some(cursor)) if Some(cursor.is_descending()) == cursor_descending => From::Cursor(cursor),
        (None, Some(_)) => {
            return Err(invalid_parameter(
                "cursor",
                "The `cursor` is of a list in another order.",
            ));
        }
    };
    Ok(PageRequest { from, per_page })
}

impl PageInfo {
    pub(crate) fn of<T, C: Opaque>(request: &PageRequest<C>, page: &Page<T, C>) -> Self {
        Self {
            total: page.total.rows,
            total_is_estimate: page.total.is_estimate,
            page: match request.from {
                From::Page(number) => Some(number),
                From::Cursor(_) => None,
            },
            per_page: request.per_page,
            pages: page.total.rows.div_ceil(request.per_page),
            next_cursor: page.next.as_ref().map(Opaque::encode),
        }
    }
}
