//! Entra ID's error numbers (<https://learn.microsoft.com/entra/identity-platform/reference-error-codes>).

use crate::access_token::Fields;

/// The number of a refusal, from its list of codes or from the start of its description.
pub(super) fn number(fields: &Fields, described: &str) -> Option<u64> {
    let listed = fields.get("error_codes").and_then(|codes| codes.get(0)?.as_u64());
    listed.or_else(|| number_in(described))
}

/// The first number that a text names.
pub(super) fn number_in(text: &str) -> Option<u64> {
    let digits = text.split("AADSTS").nth(1)?;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// What to do about it, where we know.
pub(super) fn hint(number: u64) -> Option<&'static str> {
    Some(match number {
        50_020 => {
            "the account is a guest or belongs to another tenant: sign in to its own, or be invited to this one"
        }
        50_034 | 90_002 => "the tenant is not known: check its id with `az account show --query tenantId`",
        50_076 | 50_079 => {
            "the tenant asks for multi-factor authentication: sign in again with `az login --tenant TENANT`"
        }
        53_003 => "a conditional access policy of the tenant forbids this sign-in: ask its administrator",
        65_001 => {
            "the application lacks consent for this resource: ask the tenant's administrator to grant it"
        }
        50_173 | 700_082 => "the earlier sign-in has expired or was revoked: sign in again",
        70_043 => "the tenant's sign-in frequency ended the session: sign in again with `az login`",
        70_021 | 700_211 | 700_212 | 700_213 => {
            "no federated credential of the application matches issuer, subject and audience of the assertion: compare them"
        }
        700_016 => "the application is not in this tenant: check client id and tenant id",
        700_024 => {
            "the assertion is outside its time of validity: check this machine's clock and renew the assertion"
        }
        700_027 => {
            "the assertion's signature was refused: check which key or certificate the application trusts"
        }
        7_000_215 => "the client secret is wrong: give the secret's value, not its id, or make a new one",
        7_000_222 => "the client secret has expired: make a new one (`az ad app credential reset --id APP`)",
        500_011 => "the resource is not known in this tenant: check the tenant, and the scope",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_either_place() {
        let fields = |json: &str| Fields::parse(json.as_bytes()).unwrap();
        assert_eq!(number(&fields(r#"{"error_codes":[7000215]}"#), ""), Some(7_000_215));
        assert_eq!(number(&fields("{}"), "AADSTS90002: Tenant 'x' not found."), Some(90_002));
        assert_eq!(number(&fields(r#"{"error_codes":[]}"#), "no number"), None);
    }
}
