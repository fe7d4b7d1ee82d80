//! With feature `serde`, a value that is written as one text is that text in every format too.

/// Implements `Deserialize` through `FromStr`, and `Serialize` through `Display` where the value is no secret.
macro_rules! serde_text {
    ($name:ident, serialize) => {
        #[cfg(feature = "serde")]
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        $crate::serde_text::serde_text!($name);
    };
    ($name:ident) => {
        #[cfg(feature = "serde")]
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl ::serde::de::Visitor<'_> for Visitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str(concat!("the text of a ", stringify!($name)))
                    }

                    fn visit_str<E: ::serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }
    };
}
pub(crate) use serde_text;

#[cfg(all(test, feature = "serde"))]
mod tests {
    use crate::{ConnectionString, Endpoint, Location, ResourceId, Secret, SubscriptionId};
    use serde_json::{from_value, json, to_value};

    #[test]
    fn values_are_their_text() {
        let id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Quantum/Workspaces/ws";
        assert_eq!(to_value(id.parse::<ResourceId>().unwrap()).unwrap(), json!(id));
        assert_eq!(from_value::<ResourceId>(json!(id)).unwrap(), id.parse().unwrap());
        assert_eq!(from_value::<Location>(json!("East US")).unwrap().as_str(), "eastus");
        let endpoint: Endpoint = from_value(json!("https://eastus.quantum.azure.com")).unwrap();
        assert_eq!(to_value(endpoint).unwrap(), json!("https://eastus.quantum.azure.com/"));
    }

    #[test]
    fn a_bad_text_is_the_same_error_as_from_parsing() {
        let error = from_value::<SubscriptionId>(json!("x")).unwrap_err().to_string();
        assert_eq!(error, "x".parse::<SubscriptionId>().unwrap_err().to_string());
        let error = from_value::<SubscriptionId>(json!(1)).unwrap_err().to_string();
        assert!(error.ends_with("expected the text of a SubscriptionId"), "{error}");
    }

    #[test]
    fn secrets_can_be_read() {
        assert_eq!(from_value::<Secret>(json!("hunter2")).unwrap().expose(), "hunter2");
        let error =
            from_value::<ConnectionString>(json!("ApiKey=hunter2;ApiKey=hunter2")).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
