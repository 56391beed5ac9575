//! Seeing whether a settled range has changed, for one request.
//!
//! What lives here: [`Settler::unchanged`]. What this file must not know: why it is asked.

use super::{Settler, Source};
use crate::error::Result;
use crate::model::{Certificate, Query, Window};

impl<S: Source> Settler<'_, S> {
    /// How many events the API counts in a range, padding included: one request, no proof.
    ///
    /// # Errors
    /// What [`Source::page`] gives up with.
    pub async fn counted(&self, range: Window) -> Result<u64> {
        self.count(&self.query(range)).await
    }

    /// Asks the certificate's question again and compares the count. An arrival and a removal that cancel are not
    /// seen by this; settling the range again sees them.
    ///
    /// # Errors
    /// What [`Source::page`] gives up with.
    pub async fn unchanged(&self, certificate: &Certificate) -> Result<bool> {
        let padding = i64::from(certificate.padding);
        let query = Query {
            from: Some(certificate.range.from.plus_seconds(-padding)),
            to: Some(certificate.range.to.plus_seconds(padding)),
            ..self.query(certificate.range)
        };
        Ok(self.count(&query).await? == certificate.total)
    }
}
