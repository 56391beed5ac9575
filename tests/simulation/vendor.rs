//! The control: the walk of the vendor's own SDK, as the documentation tells people to write it. It follows the
//! latest reply's page count and proves nothing. The simulation must catch it losing events.

use std::collections::BTreeSet;

use vonage_audit::error::Result;
use vonage_audit::model::{EventId, Query, Window};
use vonage_audit::settle::Source;

pub async fn walk(source: &impl Source, range: Window, size: u32) -> Result<BTreeSet<EventId>> {
    let query = Query { from: Some(range.from), to: Some(range.to), ..Query::default() };
    let mut ids = BTreeSet::new();
    let mut number = 1;
    loop {
        let page = source.page(&query, number, size).await?;
        let pages = page.total.div_ceil(u64::from(size));
        ids.extend(
            page.events
                .into_iter()
                .filter(|event| event.created_at.is_some_and(|at| range.contains(at)))
                .map(|event| event.id),
        );
        if u64::from(number) >= pages {
            return Ok(ids);
        }
        number += 1;
    }
}
