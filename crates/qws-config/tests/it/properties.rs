//! What holds for every input: what is printed is read back, nothing panics, every place is inside the text, no key is shown.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use qws_config::{
    Cloud, ConnectionString, Endpoint, Location, ParseError, Profiles, Resolution, ResourceGroup, ResourceId,
    Secret, Settings, SettingsError, SubscriptionId, TenantId, WorkspaceName,
};
use std::fmt::{Debug, Display};
use std::str::FromStr;

const GUID: &str = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";
const GROUP: &str = r"[\p{L}\p{Nd}_()\-.]{0,89}[\p{L}\p{Nd}_()\-]";
const NAME: &str = "[a-zA-Z0-9][a-zA-Z0-9_-]{1,53}";
const KEY: &str = "[A-Za-z0-9+/=]{16,88}";

/// Every URL that names an endpoint, among the hosts of the service and this machine.
fn endpoint() -> impl Strategy<Value = String> {
    let region = "[a-z0-9]{2,20}(-v2)?";
    let host = prop_oneof![
        region.prop_map(|region| format!("https://{region}.quantum.azure.com")),
        region.prop_map(|region| format!("https://{region}.quantum-test.azure.com")),
        ("[a-z0-9]{2,20}", region)
            .prop_map(|(name, region)| format!("https://{name}.{region}.quantum.azure.com:443")),
        any::<u16>().prop_map(|port| format!("http://127.0.0.1:{port}")),
        Just("https://localhost".to_owned()),
    ];
    (host, select(vec!["", "/"])).prop_map(|(host, slash)| host + slash)
}

prop_compose! {
    fn resource_id()(subscription in GUID, group in GROUP, name in NAME) -> String {
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Quantum/Workspaces/{name}")
    }
}

prop_compose! {
    /// The parts of a connection string, in any order.
    fn parts(key: impl Strategy<Value = String>)(
        subscription in GUID, group in GROUP, name in NAME, key in key, endpoint in endpoint(),
    )(
        parts in Just(vec![
            format!("SubscriptionId={subscription}"), format!("ResourceGroupName={group}"), format!("WorkspaceName={name}"),
            format!("ApiKey={key}"), format!("QuantumEndpoint={endpoint}"),
        ]).prop_shuffle(),
        key in Just(key),
    ) -> (Vec<String>, String) {
        (parts, key)
    }
}

/// Printing gives a text that reads as the same value and prints as the same text.
fn comes_back<T: FromStr<Err = ParseError> + Display + PartialEq + Debug>(text: &str) {
    let value: T = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let printed = value.to_string();
    let again: T = printed.parse().unwrap();
    assert_eq!(again, value);
    assert_eq!(again.to_string(), printed);
}

/// Whatever is wrong is told with a place inside the text.
fn reads_or_tells<T: FromStr<Err = ParseError> + Debug>(text: &str) {
    if let Err(error) = text.parse::<T>() {
        let at = error.at().unwrap();
        assert!(text.is_char_boundary(at), "{at} is not in {text:?}: {error}");
        assert!(!error.to_string().contains('\n') && !error.render(text).is_empty());
    }
}

fn all_read_or_tell(text: &str) {
    reads_or_tells::<SubscriptionId>(text);
    reads_or_tells::<ResourceGroup>(text);
    reads_or_tells::<WorkspaceName>(text);
    reads_or_tells::<Location>(text);
    reads_or_tells::<TenantId>(text);
    reads_or_tells::<Endpoint>(text);
    reads_or_tells::<ResourceId>(text);
    reads_or_tells::<ConnectionString>(text);
    let _ = (
        Endpoint::custom(text),
        Cloud::public().with_resource_manager(text),
        Cloud::public().with_authority(text),
    );
    if let Err(error) = text.parse::<Profiles>() {
        assert!(error.at().is_none_or(|at| text.is_char_boundary(at)), "{error}");
    }
    let settings = Settings::from_lookup(|_| Some(text.to_owned()));
    let _ = (settings.resolve(), settings.explain().to_string());
}

/// One slip of the hand.
#[derive(Clone, Debug)]
enum Slip {
    Insert(Index, char),
    Remove(Index),
    Replace(Index, char),
    Repeat(Index, Index),
}

fn slip() -> impl Strategy<Value = Slip> {
    prop_oneof![4 => one_letter(), 1 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Slip::Repeat(a, b))]
}

/// A slip that moves no text: a key that is copied into another part is that part's value.
fn one_letter() -> impl Strategy<Value = Slip> {
    let mark = || {
        prop_oneof![
            select(vec![';', '=', '/', '"', '\'', ' ', '\n', '@', ':', '\\', '[', '#']),
            any::<char>()
        ]
    };
    prop_oneof![
        (any::<Index>(), mark()).prop_map(|(at, c)| Slip::Insert(at, c)),
        any::<Index>().prop_map(Slip::Remove),
        (any::<Index>(), mark()).prop_map(|(at, c)| Slip::Replace(at, c)),
    ]
}

fn slipped(text: &str, slips: &[Slip]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for slip in slips.iter().cloned() {
        if text.is_empty() {
            break;
        }
        match slip {
            Slip::Insert(at, c) => text.insert(at.index(text.len()), c),
            Slip::Remove(at) => drop(text.remove(at.index(text.len()))),
            Slip::Replace(at, c) => *at.get_mut(&mut text) = c,
            Slip::Repeat(a, b) => {
                let (a, b) = (a.index(text.len()), b.index(text.len()));
                text.extend_from_within(a.min(b)..a.max(b));
            }
        }
    }
    text.into_iter().collect()
}

/// No eight characters in a row of the key are shown.
fn hides(shown: &str, key: &str) {
    let run = key.as_bytes().windows(8).find(|run| shown.as_bytes().windows(8).any(|window| window == *run));
    assert!(run.is_none(), "{} of the key is in {shown}", String::from_utf8_lossy(run.unwrap_or_default()));
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(
        guid in GUID, group in GROUP, name in NAME, location in "[a-zA-Z0-9][a-zA-Z0-9 ]{0,40}", tenant in r"[a-zA-Z0-9]{1,20}(\.[a-z-]{2,9}){0,3}",
        endpoint in endpoint(), id in resource_id(),
    ) {
        comes_back::<SubscriptionId>(&guid);
        comes_back::<ResourceGroup>(&group);
        comes_back::<WorkspaceName>(&name);
        comes_back::<Location>(&location);
        comes_back::<TenantId>(&tenant);
        comes_back::<Endpoint>(&endpoint);
        comes_back::<ResourceId>(&id);
    }

    #[test]
    fn connection_strings_come_back_from_reveal((parts, key) in parts(KEY)) {
        let string: ConnectionString = parts.join(";").parse().unwrap();
        prop_assert_eq!(string.api_key().unwrap().expose(), &key);
        prop_assert_eq!(&string.reveal().expose().parse::<ConnectionString>().unwrap(), &string);
        hides(&format!("{string:?} {string:#?}"), &key);
    }

    #[test]
    fn resource_ids_ignore_case_and_slashes(id in resource_id(), slashes in any::<(bool, bool)>()) {
        let canonical: ResourceId = id.parse().unwrap();
        let mut other = id.to_ascii_uppercase();
        if slashes.0 {
            other.remove(0);
        }
        if slashes.1 {
            other.push('/');
        }
        prop_assert_eq!(other.parse::<ResourceId>().unwrap(), canonical);
    }

    #[test]
    fn paths_hold_only_what_needs_no_escape(id in resource_id()) {
        let path = id.parse::<ResourceId>().unwrap().workspace_path();
        let fine = |c: char| c.is_ascii_alphanumeric() || "_.-~%/".contains(c);
        prop_assert!(path.chars().all(fine) && path.matches('/').count() == 8, "{}", path);
    }

    #[test]
    fn any_text_is_read_or_told(text in any::<String>()) {
        all_read_or_tell(&text);
    }

    #[test]
    fn any_bytes_are_read_or_told(bytes in any::<Vec<u8>>()) {
        all_read_or_tell(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_slip_of_the_hand_is_read_or_told((parts, _) in parts(KEY), id in resource_id(), slips in prop::collection::vec(slip(), 0..4)) {
        all_read_or_tell(&slipped(&parts.join(";"), &slips));
        all_read_or_tell(&slipped(&id, &slips));
    }

    #[test]
    fn no_slip_of_the_hand_shows_the_key((parts, key) in parts(KEY), slips in prop::collection::vec(one_letter(), 0..4)) {
        let text = slipped(&parts.join(";"), &slips);
        if let Err(error) = text.parse::<ConnectionString>() {
            hides(&format!("{error} {error:?} {:?} {}", error.hint(), error.render(&text)), &key);
        }
        let settings = Settings::from_lookup(|name| (name == "AZURE_QUANTUM_CONNECTION_STRING").then(|| text.clone()));
        hides(&format!("{settings:?} {:?} {}", settings.resolve(), settings.explain()), &key);
    }

    #[test]
    fn no_slip_of_the_hand_in_a_profile_file_shows_the_key((parts, key) in parts(KEY), slips in prop::collection::vec(one_letter(), 0..4)) {
        let file = format!("version = 1\ndefault = \"p\"\n[profile.p]\nconnection_string = \"{}\"\n", parts.join(";"));
        match slipped(&file, &slips).parse::<Profiles>() {
            Ok(profiles) => {
                for profiles in [profiles.clone(), profiles.assume_private()] {
                    let settings = Settings::new().with_profiles(profiles);
                    hides(&format!("{settings:?} {:?} {}", settings.resolve(), settings.explain()), &key);
                }
            }
            Err(error) => hides(&format!("{error} {error:?} {:?}", error.hint()), &key),
        }
    }
}

/// A workspace that can be told from the others in each of its values.
fn connection_string(index: usize) -> String {
    format!(
        "SubscriptionId=00000000-0000-0000-0000-00000000000{index};ResourceGroupName=rg{index};WorkspaceName=ws{index};\
         ApiKey=key{index};QuantumEndpoint=https://region{index}.quantum.azure.com/"
    )
}

/// Which of three workspaces each source speaks of, if it speaks.
type Choice = Option<usize>;

fn choices() -> impl Strategy<Value = [Choice; 9]> {
    proptest::array::uniform9(proptest::option::weighted(0.4, 0..3_usize))
}

proptest! {
    #[test]
    fn values_of_two_workspaces_are_never_mixed(choices in choices()) {
        let [by_argument, subscription, group, name, location, endpoint, string, profile, named] = choices;
        let id = |index| connection_string(index).parse::<ConnectionString>().unwrap().resource_id().clone();
        let value = |variable: &str| match variable {
            "AZURE_QUANTUM_SUBSCRIPTION_ID" => subscription.map(|index| format!("00000000-0000-0000-0000-00000000000{index}")),
            "AZURE_QUANTUM_WORKSPACE_RG" => group.map(|index| format!("rg{index}")),
            "AZURE_QUANTUM_WORKSPACE_NAME" => name.map(|index| format!("ws{index}")),
            "LOCATION" => location.map(|index| format!("region{index}")),
            "AZURE_QUANTUM_ENDPOINT" => endpoint.map(|index| format!("https://region{index}.quantum.azure.com/")),
            "AZURE_QUANTUM_CONNECTION_STRING" => string.map(connection_string),
            _ => None,
        };
        let mut settings = Settings::from_lookup(value);
        if let Some(index) = by_argument {
            settings = settings.with_resource_id(&id(index));
        }
        if let Some(index) = profile.or(named) {
            let file = format!("version = 1\ndefault = \"p\"\n[profile.p]\nconnection_string = \"{}\"", connection_string(index));
            settings = settings.with_profiles(file.parse::<Profiles>().unwrap().assume_private());
        }
        if named.is_some() {
            settings = settings.with_profile("p");
        }
        let resolved = match settings.resolve() {
            Ok(resolved) => resolved,
            Err(SettingsError::Missing { .. }) => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        // Single values may be put together by hand; sources that tell a whole workspace are taken whole or not at all.
        if [subscription, group, name, endpoint].iter().all(Option::is_none) {
            let told = match resolved.workspace() {
                Resolution::Complete(address) => address.resource_id().to_string(),
                other => format!("{other:?}"),
            };
            let key = resolved.api_key().map_or("", Secret::expose);
            let speaks_of = |index| ["rg", "ws", "key", "00000000000"].iter().any(|part| format!("{told} {key}").contains(&format!("{part}{index}")));
            prop_assert_eq!((0..3).filter(|index| speaks_of(*index)).count(), 1, "{}", settings.explain());
        }
        // A key belongs to its workspace and endpoint, whatever else is set.
        if let (Some(key), Some(address)) = (resolved.api_key(), resolved.address()) {
            let index = key.expose().trim_start_matches("key");
            prop_assert_eq!(address.endpoint().to_string(), format!("https://region{index}.quantum.azure.com/"));
            prop_assert_eq!(address.resource_id().workspace_name().as_str(), format!("ws{index}"));
        }
    }
}
