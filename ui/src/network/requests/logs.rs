//! Records and services.

use crate::api::error::ApiError;
use crate::api::logs::{Page, Service, Services};
use crate::network::fetch;
use crate::state::filter::Filter;
use crate::state::range::Span;

/// Records per page of a search: several screens, and still small enough to come at once.
const PAGE_RECORDS: u32 = 200;

/// One page of stored records, newest first; of all time, if no span is given.
pub async fn logs(filter: &Filter, span: Option<Span>, cursor: Option<String>) -> Result<Page, ApiError> {
    let mut pairs = filter.parameters();
    pairs.push(("limit", PAGE_RECORDS.to_string()));
    pairs.extend(span.into_iter().flat_map(Span::parameters));
    pairs.extend(cursor.map(|cursor| ("cursor", cursor)));
    fetch::get("/api/logs", &pairs).await
}

pub async fn services() -> Result<Vec<Service>, ApiError> {
    let answer: Services = fetch::get("/api/services", &[]).await?;
    Ok(answer.services)
}
