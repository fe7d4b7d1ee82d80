//! The XML that storage speaks: errors, block lists, lists of blobs.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;

use time::OffsetDateTime;

use super::StorageError;
use super::listing::{Entry, ListQuery};
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
pub(super) fn blobs_page(
    service: &str,
    container: &str,
    query: &ListQuery,
    entries: &[(&str, Entry<'_>)],
    next_marker: Option<&str>,
) -> String {
    let mut xml = String::from(DECLARATION);
    let _ = write!(
        xml,
        "<EnumerationResults ServiceEndpoint=\"{}\" ContainerName=\"{}\">",
        escape(service),
        escape(container)
    );
    asked(&mut xml, query);
    xml.push_str("<Blobs>");
    for (name, entry) in entries {
        let name = escape(*name);
        match entry {
            Entry::Prefix => {
                let _ = write!(xml, "<BlobPrefix><Name>{name}</Name></BlobPrefix>");
            }
            Entry::Uncommitted => {
                let _ = write!(
                    xml,
                    "<Blob><Name>{name}</Name><Properties><Content-Length>0</Content-Length>\
                     <BlobType>BlockBlob</BlobType></Properties></Blob>"
                );
            }
            Entry::Blob(blob) => write_blob(&mut xml, &name, blob, query.metadata),
        }
    }
    xml.push_str("</Blobs>");
    close(&mut xml, next_marker);
    xml
}

fn write_blob(xml: &mut String, name: &str, blob: &Blob, with_metadata: bool) {
    let properties = &blob.properties;
    let _ = write!(
        xml,
        "<Blob><Name>{name}</Name><Properties><Creation-Time>{}</Creation-Time>\
         <Last-Modified>{}</Last-Modified><Etag>{}</Etag><Content-Length>{}</Content-Length>",
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
         <ServerEncrypted>true</ServerEncrypted></Properties>",
    );
    if with_metadata {
        xml.push_str("<Metadata>");
        for (name, value) in &properties.metadata {
            let tag = name.trim_start_matches("x-ms-meta-");
            let _ = write!(xml, "<{tag}>{}</{tag}>", escape(value.as_str()));
        }
        xml.push_str("</Metadata>");
    }
    xml.push_str("<OrMetadata /></Blob>");
}

pub(super) fn containers_page(
    service: &str,
    query: &ListQuery,
    containers: &[(String, String, OffsetDateTime)],
    next_marker: Option<&str>,
) -> String {
    let mut xml = String::from(DECLARATION);
    let _ = write!(xml, "<EnumerationResults ServiceEndpoint=\"{}\">", escape(service));
    asked(&mut xml, query);
    xml.push_str("<Containers>");
    for (name, etag, modified) in containers {
        let _ = write!(
            xml,
            "<Container><Name>{}</Name><Properties><Last-Modified>{}</Last-Modified><Etag>{}</Etag>\
             <LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>\
             <HasImmutabilityPolicy>false</HasImmutabilityPolicy><HasLegalHold>false</HasLegalHold></Properties>\
             </Container>",
            escape(name.as_str()),
            clock::http_date(*modified),
            escape(etag.trim_matches('"')),
        );
    }
    xml.push_str("</Containers>");
    close(&mut xml, next_marker);
    xml
}

/// What was asked for, as lists repeat it.
fn asked(xml: &mut String, query: &ListQuery) {
    for (tag, value) in [("Prefix", &query.prefix), ("Delimiter", &query.delimiter)] {
        if !value.is_empty() {
            let _ = write!(xml, "<{tag}>{}</{tag}>", escape(value.as_str()));
        }
    }
    if let Some(max) = query.max_results {
        let _ = write!(xml, "<MaxResults>{max}</MaxResults>");
    }
}

fn close(xml: &mut String, next_marker: Option<&str>) {
    match next_marker {
        Some(marker) => {
            let _ = write!(xml, "<NextMarker>{}</NextMarker>", escape(marker));
        }
        None => xml.push_str("<NextMarker />"),
    }
    xml.push_str("</EnumerationResults>");
}

/// The ids and sizes of a blob's blocks.
pub(super) fn blocks(
    committed: Option<Vec<(&str, usize)>>,
    uncommitted: Option<Vec<(&str, usize)>>,
) -> String {
    let mut xml = format!("{DECLARATION}<BlockList>");
    for (tag, list) in [("CommittedBlocks", committed), ("UncommittedBlocks", uncommitted)] {
        let Some(list) = list else { continue };
        let _ = write!(xml, "<{tag}>");
        for (id, size) in list {
            let _ = write!(xml, "<Block><Name>{}</Name><Size>{size}</Size></Block>", escape(id));
        }
        let _ = write!(xml, "</{tag}>");
    }
    xml.push_str("</BlockList>");
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
