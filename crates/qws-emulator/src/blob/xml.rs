//! The XML that storage speaks: errors, block lists, lists of blobs.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;

use super::StorageError;
use super::store::{Blob, BlockSource};
use crate::clock;

/// The real service begins its XML with a byte order mark; readers have to cope, so ours does too.
pub(crate) const DECLARATION: &str = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>";

/// Reads `<BlockList><Latest>id</Latest>...</BlockList>`.
pub(crate) fn block_list(body: &[u8]) -> Result<Vec<(BlockSource, String)>, StorageError> {
    let text = std::str::from_utf8(body).map_err(|_| StorageError::invalid_xml())?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let (mut list, mut source) = (Vec::new(), None);
    loop {
        match reader.read_event().map_err(|_| StorageError::invalid_xml())? {
            Event::Start(tag) => {
                source = match tag.local_name().as_ref() {
                    b"Committed" => Some(BlockSource::Committed),
                    b"Uncommitted" => Some(BlockSource::Uncommitted),
                    b"Latest" => Some(BlockSource::Latest),
                    _ => None,
                };
            }
            Event::Text(text) => {
                if let Some(source) = source {
                    let id = text.decode().map_err(|_| StorageError::invalid_xml())?;
                    list.push((source, id.trim().to_owned()));
                }
            }
            Event::End(_) => source = None,
            Event::Eof => return Ok(list),
            _ => {}
        }
    }
}

/// One page of a list of blobs.
pub(crate) struct BlobsPage<'a> {
    pub(crate) service: &'a str,
    pub(crate) container: &'a str,
    pub(crate) prefix: &'a str,
    pub(crate) max_results: Option<usize>,
    pub(crate) blobs: Vec<(&'a String, &'a Blob)>,
    pub(crate) next_marker: Option<&'a str>,
}

pub(crate) fn blobs_page(page: &BlobsPage<'_>) -> String {
    let mut xml = String::from(DECLARATION);
    let _ = write!(
        xml,
        "<EnumerationResults ServiceEndpoint=\"{}\" ContainerName=\"{}\">",
        escape(page.service),
        escape(page.container)
    );
    if !page.prefix.is_empty() {
        let _ = write!(xml, "<Prefix>{}</Prefix>", escape(page.prefix));
    }
    if let Some(max) = page.max_results {
        let _ = write!(xml, "<MaxResults>{max}</MaxResults>");
    }
    xml.push_str("<Blobs>");
    for (name, blob) in &page.blobs {
        let properties = &blob.properties;
        let _ = write!(
            xml,
            "<Blob><Name>{}</Name><Properties><Creation-Time>{}</Creation-Time>\
             <Last-Modified>{}</Last-Modified><Etag>{}</Etag><Content-Length>{}</Content-Length>",
            escape(name.as_str()),
            clock::http_date(blob.created),
            clock::http_date(blob.modified),
            // Lists give the ETag without its quotes.
            escape(blob.etag.trim_matches('"')),
            blob.content.len(),
        );
        for (tag, value) in [
            ("Content-Type", properties.content_type.as_deref().unwrap_or("application/octet-stream")),
            ("Content-Encoding", properties.content_encoding.as_deref().unwrap_or_default()),
            ("Content-Language", properties.content_language.as_deref().unwrap_or_default()),
            ("Content-MD5", properties.content_md5.as_deref().unwrap_or_default()),
            ("Cache-Control", properties.cache_control.as_deref().unwrap_or_default()),
            ("Content-Disposition", properties.content_disposition.as_deref().unwrap_or_default()),
        ] {
            let _ = write!(xml, "<{tag}>{}</{tag}>", escape(value));
        }
        xml.push_str(
            "<BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred>\
             <LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>\
             <ServerEncrypted>true</ServerEncrypted></Properties><OrMetadata /></Blob>",
        );
    }
    xml.push_str("</Blobs>");
    match page.next_marker {
        Some(marker) => {
            let _ = write!(xml, "<NextMarker>{}</NextMarker>", escape(marker));
        }
        None => xml.push_str("<NextMarker />"),
    }
    xml.push_str("</EnumerationResults>");
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_list_is_read_in_order() {
        let xml = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<BlockList>\n <Latest>QUE=</Latest>\
                   <Uncommitted>QkI=</Uncommitted><Committed>Q0M=</Committed></BlockList>";
        let list = block_list(xml.as_bytes()).unwrap();
        assert_eq!(
            list,
            [
                (BlockSource::Latest, "QUE=".to_owned()),
                (BlockSource::Uncommitted, "QkI=".to_owned()),
                (BlockSource::Committed, "Q0M=".to_owned())
            ]
        );
        assert_eq!(block_list(b"<BlockList><Latest>x</Oops>").unwrap_err().code, "InvalidXmlDocument");
    }
}
