//! Names of containers and blobs as parts of a URL.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::{Error, ErrorKind};

/// Puts a name behind a URL's path. What would not stay one name there is refused.
pub(super) fn push(url: &mut Url, name: &str) -> Result<(), Error> {
    // The URL would drop the first two, and take nothing for a folder.
    let path = url.path_segments_mut().ok().filter(|_| !matches!(name, "." | ".." | ""));
    let text = || format!("a blob cannot be named `{name}`");
    path.ok_or_else(|| Error::new(ErrorKind::InvalidInput, text()))?.pop_if_empty().push(name);
    Ok(())
}

/// A part of a URL's path as the name that it stands for.
fn decoded(part: &str) -> Option<String> {
    percent_decode_str(part).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Container and blob of a path; the blob is empty if the path names none.
pub(super) fn container_and_blob(path: &str) -> Option<(String, String)> {
    let (container, blob) = path.split_once('/').unwrap_or((path, ""));
    Some((decoded(container)?, decoded(blob)?)).filter(|(container, _)| !container.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_part_of_the_path() {
        let named = |name: &str| {
            let mut url = Url::parse("https://s.example/c?sig=x").unwrap();
            push(&mut url, name).map(|()| url.path().to_owned())
        };
        for (name, path) in [("a b", "/c/a%20b"), ("50%/ü?#", "/c/50%25%2F%C3%BC%3F%23"), ("...", "/c/...")]
        {
            assert_eq!(named(name).unwrap(), path);
        }
        for name in ["", ".", ".."] {
            assert_eq!(named(name).unwrap_err().kind(), ErrorKind::InvalidInput, "{name}");
        }
    }

    #[test]
    fn names_with_slashes_and_escapes_are_kept() {
        let found = |path| container_and_blob(path).map(|(container, blob)| format!("{container} {blob}"));
        assert_eq!(found("job-1/raw/out%20put").as_deref(), Some("job-1 raw/out put"));
        assert_eq!(found("job-1").as_deref(), Some("job-1 "));
        assert_eq!((found(""), found("/x"), found("c/%ff")), (None, None, None));
    }
}
