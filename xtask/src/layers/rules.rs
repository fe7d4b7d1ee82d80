//! The rules as data. ARCHITECTURE.md says why they are so.

use super::facts::View;

/// The layers from the lowest up: each may use those before it.
pub(super) const LAYERS: &[&str] =
    &["qws-config", "qws-http", "qws-auth", "qws-client", "qws-sdk", "qws-cli"];

/// The layers that users depend on; their trees are held to every rule below.
pub(super) const LIBRARIES: &[&str] = LAYERS.split_at(5).0;

/// May be dev-dependency of every layer, by path only: a version would need it published before them.
pub(super) const EMULATOR: &str = "qws-emulator";

/// A member beside the layers, the only members it may use, and why.
pub(super) struct Beside {
    pub(super) name: &'static str,
    pub(super) may_use: &'static [&'static str],
    pub(super) why: &'static str,
}

pub(super) const BESIDE: &[Beside] = &[
    Beside {
        name: EMULATOR,
        may_use: &[],
        why: "the emulator uses no qws crate, so that client and emulator cannot share one mistake",
    },
    Beside {
        name: "qws-contract",
        may_use: &["qws-config", "qws-http", "qws-auth", "qws-client", "qws-sdk", EMULATOR],
        why: "the contract suite uses the libraries and the emulator",
    },
    Beside {
        name: "qws-bench",
        may_use: &["qws-config", "qws-http", "qws-auth", "qws-client", EMULATOR],
        why: "the benchmarks use qws-client and what it takes to make one: an address, a key, a transport",
    },
    Beside { name: "xtask", may_use: &[], why: "xtask builds and runs when no qws crate does" },
];

/// All that `qws-config` may require: the smallest tree that reads URLs as the HTTP stack does.
pub(super) const CONFIG_REQUIRES: &[&str] = &["url", "zeroize"];

/// Crates that may not be in the trees of some libraries.
pub(super) struct Ban {
    pub(super) within: &'static [&'static str],
    pub(super) view: View,
    pub(super) crates: &'static [&'static str],
    /// These alone may depend on it directly; empty: nobody.
    pub(super) except_under: &'static [&'static str],
    pub(super) why: &'static str,
}

const CONFIG: &[&str] = &["qws-config"];

pub(super) const BANS: &[Ban] = &[
    Ban {
        within: CONFIG,
        view: View::Everything,
        crates: &["reqwest", "hyper", "rustls"],
        except_under: &[],
        why: "it has no network (see ARCHITECTURE.md, Directions)",
    },
    Ban {
        within: CONFIG,
        view: View::Everything,
        crates: &["tokio", "futures", "futures-core", "futures-util"],
        except_under: &[],
        why: "it has no async (see ARCHITECTURE.md, Directions)",
    },
    Ban {
        within: CONFIG,
        view: View::Required,
        crates: &["serde", "serde_core"],
        except_under: &[],
        why: "serde is an optional feature there (see ARCHITECTURE.md, Directions)",
    },
    Ban {
        within: LIBRARIES.split_at(1).1,
        view: View::Everything,
        crates: &["reqwest"],
        except_under: &[],
        why: "the HTTP client is hyper's, and one is enough (see ARCHITECTURE.md, Decisions)",
    },
    Ban {
        within: LIBRARIES,
        view: View::Everything,
        crates: &["openssl", "openssl-sys", "native-tls"],
        except_under: &[],
        why: "TLS is rustls on every platform, without a system library (see ARCHITECTURE.md, Decisions)",
    },
    Ban {
        within: LIBRARIES,
        view: View::Default,
        crates: &["aws-lc-rs", "aws-lc-sys"],
        except_under: &[],
        why: "ring is the default and starts faster (see ARCHITECTURE.md, Decisions)",
    },
    Ban {
        within: LIBRARIES,
        view: View::Default,
        crates: &["ring"],
        except_under: &["rustls", "rustls-webpki"],
        why: "ring comes only through rustls (see ARCHITECTURE.md, Decisions)",
    },
];

/// Features of other crates that are off in the whole build, because cargo turns a feature on for everyone.
pub(super) struct FeatureBan {
    pub(super) name: &'static str,
    pub(super) features: &'static [&'static str],
    pub(super) why: &'static str,
}

const SECRETS: &str = "it writes secrets into logs and `Debug` output of the whole build";
const OWN_CLIENT: &str = "Azure crates use the HTTP client that qws-http gives them";

pub(super) const FEATURE_BANS: &[FeatureBan] = &[
    FeatureBan { name: "azure_core", features: &["debug", "test"], why: SECRETS },
    FeatureBan { name: "typespec_client_core", features: &["debug", "test"], why: SECRETS },
    FeatureBan { name: "azure_core", features: &["reqwest"], why: OWN_CLIENT },
    FeatureBan { name: "typespec_client_core", features: &["reqwest"], why: OWN_CLIENT },
    FeatureBan {
        name: "reqwest",
        features: &["default-tls", "__native-tls", "__rustls-aws-lc-rs"],
        why: "the floor of the benchmarks has the TLS that qws-http has: rustls with ring",
    },
];

/// How many crates a tree may hold on Linux, the root included.
pub(super) struct Budget {
    pub(super) name: &'static str,
    pub(super) view: View,
    pub(super) most: usize,
}

pub(super) const BUDGETS: &[Budget] = &[
    Budget { name: "qws-config", view: View::Required, most: 45 },
    Budget { name: "qws-sdk", view: View::Default, most: 165 },
];

/// Licences that let users ship what they build, as SPDX writes them.
pub(super) const LICENCES: &[&str] =
    &["MIT", "Apache-2.0", "BSD-3-Clause", "ISC", "Unicode-3.0", "Zlib", "CDLA-Permissive-2.0"];
