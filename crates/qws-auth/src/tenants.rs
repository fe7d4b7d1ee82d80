use qws_config::TenantId;

use crate::{AuthError, Host};

/// Which tenants a credential may get tokens of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tenants {
    own: Option<TenantId>,
    allowed: Vec<TenantId>,
    any: bool,
}

impl Tenants {
    pub(crate) fn of(own: TenantId) -> Self {
        Self { own: Some(own), ..Self::default() }
    }

    pub(crate) fn set_own(&mut self, own: TenantId) {
        self.own = Some(own);
    }

    pub(crate) fn allow(&mut self, tenant: TenantId) {
        self.allowed.push(tenant);
    }

    pub(crate) fn allow_any(&mut self) {
        self.any = true;
    }

    pub(crate) fn own(&self) -> Option<&TenantId> {
        self.own.as_ref()
    }

    /// The tenant to ask, for a request that may name one. The rule is that of the official clients.
    pub(crate) fn choose<'a>(
        &'a self,
        host: &Host,
        wanted: Option<&'a TenantId>,
    ) -> Result<Option<&'a TenantId>, AuthError> {
        let (Some(own), Some(wanted)) = (&self.own, wanted) else { return Ok(wanted.or(self.own.as_ref())) };
        if own == wanted || self.any || self.allowed.contains(wanted) {
            return Ok(Some(wanted));
        }
        if own.as_str() == "adfs" || host.variable("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH").is_some() {
            tracing::info!(%own, %wanted, "a token of the credential's own tenant is used");
            return Ok(Some(own));
        }
        if own.as_str() == "organizations" && self.allowed.is_empty() {
            return Ok(Some(wanted));
        }
        let text =
            format!("the credential belongs to tenant {own}, but a token of tenant {wanted} was asked for");
        Err(AuthError::refused(text).with_hint(
            "make the credential in that tenant, or allow it with `allow_tenant` if the identity is known there",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(text: &str) -> TenantId {
        text.parse().unwrap()
    }

    fn chosen(tenants: &Tenants, wanted: &str, variable: Option<&str>) -> Result<String, String> {
        let value = variable.map(str::to_owned);
        let host = Host::new(move |_| value.clone());
        let wanted = tenant(wanted);
        let found = tenants.choose(&host, Some(&wanted));
        found.map(|found| found.unwrap().to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn other_tenants_must_be_allowed_and_are_named_if_not() {
        let mut tenants = Tenants::of(tenant("ours"));
        assert_eq!(chosen(&tenants, "OURS", None), Ok("ours".into()));
        assert_eq!(
            chosen(&tenants, "theirs", None).unwrap_err(),
            "the credential belongs to tenant ours, but a token of tenant theirs was asked for"
        );
        assert_eq!(chosen(&tenants, "theirs", Some("1")), Ok("ours".into()));
        tenants.allow(tenant("theirs"));
        assert_eq!(chosen(&tenants, "theirs", None), Ok("theirs".into()));
        assert!(chosen(&tenants, "others", None).is_err());
        tenants.allow_any();
        assert_eq!(chosen(&tenants, "others", None), Ok("others".into()));
    }

    #[test]
    fn without_a_tenant_of_its_own_the_wanted_one_is_asked() {
        assert_eq!(chosen(&Tenants::default(), "theirs", None), Ok("theirs".into()));
        assert_eq!(chosen(&Tenants::of(tenant("organizations")), "theirs", None), Ok("theirs".into()));
        assert_eq!(chosen(&Tenants::of(tenant("adfs")), "theirs", None), Ok("adfs".into()));
    }
}
