//! The Azure resource id of a workspace.

use crate::error::{ParseError, ParseErrorKind, Part};
use crate::names::{ResourceGroup, SubscriptionId, WorkspaceName};
use crate::text::Text;
use std::fmt::{self, Write};
use std::str::FromStr;

/// The Azure resource id of a workspace: subscription, resource group and name.
///
/// Read in any case, with or without slashes at the ends; printed as Azure writes it. Ids are compared as Azure does, without case.
///
/// ```
/// use qws_config::ResourceId;
///
/// let id: ResourceId =
///     "subscriptions/11111111-2222-3333-4444-555555555555/resourcegroups/contoso-rg/providers/microsoft.quantum/workspaces/contoso-ws/"
///         .parse()?;
/// assert_eq!(
///     id.to_string(),
///     "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/contoso-rg/providers/Microsoft.Quantum/Workspaces/contoso-ws",
/// );
///
/// let error = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/x"
///     .parse::<ResourceId>()
///     .unwrap_err();
/// assert!(error.to_string().starts_with("resource id is a Microsoft.Storage/storageAccounts id"));
/// # Ok::<(), qws_config::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResourceId {
    subscription_id: SubscriptionId,
    resource_group: ResourceGroup,
    workspace_name: WorkspaceName,
}

const EXPECTED: &str =
    "`/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.Quantum/Workspaces/{name}`";

impl ResourceId {
    /// Puts the three parts together.
    #[must_use]
    pub fn new(
        subscription_id: SubscriptionId,
        resource_group: ResourceGroup,
        workspace_name: WorkspaceName,
    ) -> Self {
        Self { subscription_id, resource_group, workspace_name }
    }

    /// The subscription.
    #[must_use]
    pub fn subscription_id(&self) -> &SubscriptionId {
        &self.subscription_id
    }

    /// The resource group.
    #[must_use]
    pub fn resource_group(&self) -> &ResourceGroup {
        &self.resource_group
    }

    /// The workspace.
    #[must_use]
    pub fn workspace_name(&self) -> &WorkspaceName {
        &self.workspace_name
    }

    /// The path of the workspace on the data plane and on Resource Manager, each name percent-encoded on its own:
    /// `/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Quantum/workspaces/{w}`.
    ///
    /// Only `A-Z a-z 0-9 _ . - ~` stay as they are, as the service's own clients do it.
    #[must_use]
    pub fn workspace_path(&self) -> String {
        let mut path = String::with_capacity(160);
        for (literal, name) in [
            ("/subscriptions/", self.subscription_id.as_str()),
            ("/resourceGroups/", self.resource_group.as_str()),
            ("/providers/Microsoft.Quantum/workspaces/", self.workspace_name.as_str()),
        ] {
            path.push_str(literal);
            for byte in name.bytes() {
                if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) {
                    path.push(char::from(byte));
                } else {
                    // Writing to a String cannot fail.
                    let _ = write!(path, "%{byte:02X}");
                }
            }
        }
        path
    }

    pub(crate) fn read(text: Text<'_>) -> Result<Self, ParseError> {
        let inner = text.str.strip_suffix('/').unwrap_or(text.str);
        let mut rest = inner.strip_prefix('/').unwrap_or(inner);
        let mut names = [text; 3];
        for (name, literal) in names.iter_mut().zip(LITERALS) {
            match rest.split_at_checked(literal.len()) {
                Some((start, after)) if start.eq_ignore_ascii_case(literal) => rest = after,
                _ => return Err(explain(text)),
            }
            let at = text.at + inner.len() - rest.len();
            let length = rest.bytes().position(|byte| byte == b'/').unwrap_or(rest.len());
            *name = Text { str: &rest[..length], at };
            rest = &rest[length..];
        }
        if !rest.is_empty() {
            return Err(explain(text));
        }
        let [subscription, group, workspace] = names;
        Ok(Self {
            subscription_id: SubscriptionId::read(subscription)?,
            resource_group: ResourceGroup::read(group)?,
            workspace_name: WorkspaceName::read(workspace)?,
        })
    }
}

/// What stands before each of the three names, once the first slash is taken off.
const LITERALS: [&str; 3] =
    ["subscriptions/", "/resourceGroups/", "/providers/Microsoft.Quantum/Workspaces/"];

/// Why the text is no workspace id: what it is instead, if that can be told, else where it leaves the pattern.
#[cold]
fn explain(text: Text<'_>) -> ParseError {
    let part = Part::ResourceId;
    if text.str.is_empty() {
        return ParseError::empty(part, text.at, EXPECTED);
    }
    let segments = segments(text);
    let is = |index: usize, literal: &str| {
        segments.get(index).is_some_and(|s| s.str.eq_ignore_ascii_case(literal))
    };
    let other = |at, what: String| ParseError::new(part, ParseErrorKind::OtherResource, at, what, EXPECTED);
    if is(0, "subscriptions") && segments.len() == 2 {
        return other(text.end(), "is the id of a subscription".to_owned());
    }
    if is(0, "subscriptions") && is(2, "resourceGroups") && segments.len() == 4 {
        return other(text.end(), "is the id of a resource group".to_owned());
    }
    if is(0, "subscriptions") && is(2, "resourceGroups") && is(4, "providers") && segments.len() >= 8 {
        // The type of `.../providers/A.B/c/x/d/y` is `A.B/c/d`.
        let mut kind = vec![segments[5].str];
        kind.extend(segments[6..].iter().step_by(2).map(|s| s.str));
        let letters = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
        let plain = |name: &&str| (1..=60).contains(&name.len()) && letters(name);
        if kind.len() <= 6 && kind.iter().all(plain) {
            let child = is(5, "Microsoft.Quantum") && is(6, "Workspaces");
            let at = segments[if child { 8 } else { 5 }].at;
            let error = other(at, format!("is a {} id", kind.join("/")));
            return if child {
                error.with_hint("leave out what follows the name of the workspace")
            } else {
                error
            };
        }
    }
    let pattern =
        ["subscriptions", "", "resourceGroups", "", "providers", "Microsoft.Quantum", "Workspaces", ""];
    let misfit = pattern
        .iter()
        .zip(&segments)
        .find(|(literal, s)| !literal.is_empty() && !s.str.eq_ignore_ascii_case(literal));
    let at = misfit.map_or(text.end(), |(_, segment)| segment.at);
    let error = ParseError::new(part, ParseErrorKind::Shape, at, "is not built as one", EXPECTED);
    if text.str.contains("://") {
        return error.with_hint("paste only the part of the URL from `/subscriptions/` on");
    }
    if text.str.contains(';') {
        return error.with_hint("this looks like a connection string; pass it as one");
    }
    error
}

/// The parts between the slashes, without one slash at either end.
fn segments<'a>(text: Text<'a>) -> Vec<Text<'a>> {
    let inner = text.str.strip_suffix('/').unwrap_or(text.str);
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    let mut at = text.at + usize::from(text.str.starts_with('/'));
    let located = |str: &'a str| {
        let segment = Text { str, at };
        at += str.len() + 1;
        segment
    };
    inner.split('/').map(located).collect()
}

impl FromStr for ResourceId {
    type Err = ParseError;

    /// Reads the id; white space around it is ignored.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(Text::new(text, 0))
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subscription_id, resource_group, workspace_name } = self;
        write!(f, "/subscriptions/{subscription_id}/resourceGroups/{resource_group}")?;
        write!(f, "/providers/Microsoft.Quantum/Workspaces/{workspace_name}")
    }
}

crate::serde_text::serde_text!(ResourceId, serialize);

#[cfg(test)]
mod tests {
    use super::*;

    const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";

    fn refused(text: &str) -> ParseError {
        text.parse::<ResourceId>().unwrap_err()
    }

    #[test]
    fn case_slashes_and_white_space_do_not_matter() {
        let canonical = format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/contoso-rg/providers/Microsoft.Quantum/Workspaces/contoso-ws"
        );
        let id: ResourceId = canonical.parse().unwrap();
        assert_eq!(id.to_string(), canonical);
        for text in [canonical.to_uppercase(), canonical[1..].to_owned(), format!("\t{canonical}/\n")] {
            assert_eq!(text.parse::<ResourceId>().unwrap(), id, "{text}");
        }
    }

    #[test]
    fn the_path_of_the_data_plane_has_each_name_encoded() {
        let id = ResourceId::new(
            SUBSCRIPTION.parse().unwrap(),
            "a(b)_組.d".parse().unwrap(),
            "ws-1".parse().unwrap(),
        );
        assert_eq!(
            id.workspace_path(),
            format!(
                "/subscriptions/{SUBSCRIPTION}/resourceGroups/a%28b%29_%E7%B5%84.d/providers/Microsoft.Quantum/workspaces/ws-1"
            )
        );
    }

    #[test]
    fn the_id_of_something_else_says_what_it_is() {
        let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg");
        for (text, found, at) in [
            (format!("/subscriptions/{SUBSCRIPTION}/"), "is the id of a subscription", 52),
            (group.clone(), "is the id of a resource group", 69),
            (
                format!("{group}/providers/Microsoft.Storage/storageAccounts/x"),
                "is a Microsoft.Storage/storageAccounts id",
                80,
            ),
            (
                format!("{group}/providers/Microsoft.Quantum/Workspaces/ws/jobs/1"),
                "is a Microsoft.Quantum/Workspaces/jobs id",
                112,
            ),
        ] {
            let error = refused(&text);
            assert_eq!(error.kind(), ParseErrorKind::OtherResource);
            assert_eq!(error.to_string(), format!("resource id {found} at byte {at}; expected {EXPECTED}"));
        }
    }

    #[test]
    fn text_that_is_no_id_is_located_and_not_repeated() {
        for (text, at) in [
            ("", 0),
            ("hello", 0),
            ("/subscriptions//resourceGroups/rg/providers/Microsoft.Quantum/Workspaces/ws", 15),
            ("/subscriptions/x/groups/rg", 17),
            ("//subscriptions/x", 1),
            ("/subscriptions/x/resourceGroups/rg/providers/Microsoft.Quantum/Workspaces/ws//", 78),
            ("SubscriptionId=x;ApiKey=hunter2", 0),
        ] {
            let error = refused(text);
            assert_eq!(error.at(), Some(at), "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
        assert!(
            refused("https://management.azure.com/subscriptions/x")
                .hint()
                .unwrap()
                .contains("/subscriptions/")
        );
        assert!(refused("SubscriptionId=x;ApiKey=k").hint().unwrap().contains("connection string"));
    }
}
