//! Redis Sentinel: the addresses of the sentinels, as a URL or as settings, and the look-up of the present master.

use crate::domain::secret::Secret;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, RedisResult, TlsCertificates, TlsMode};
use std::time::Duration;
use tokio::sync::Mutex;

/// Schemes of a URL that names sentinels, and whether the connections use TLS.
const SCHEMES: [(&str, bool); 3] =
    [("redis+sentinel://", false), ("redis+sentinels://", true), ("rediss+sentinel://", true)];
/// Name of the master if none is given, the same as Chatwoot's.
pub const DEFAULT_MASTER: &str = "mymaster";
/// Port of a sentinel if none is given.
const DEFAULT_PORT: u16 = 26_379;
/// Maximum number of sentinels.
const MAX_NODES: usize = 32;

/// The settings `redis.sentinels` and `redis.sentinel_…`, which name sentinels beside the URL, as Chatwoot does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentinelSettings {
    /// Addresses of the sentinels, each `host` or `host:port`. Without one there is no Sentinel, unless the URL names it.
    pub nodes: Vec<String>,
    /// Name of the master; `None` means [`DEFAULT_MASTER`].
    pub master: Option<String>,
    /// User of the sentinels.
    pub user: Option<String>,
    /// Password of the sentinels; `None` means that of Redis, an empty one none.
    pub password: Option<Secret>,
}

/// How to reach sentinels and the master that they name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SentinelTarget {
    pub(super) nodes: Vec<(String, u16)>,
    pub(super) master: String,
    pub(super) tls: bool,
    pub(super) database: i64,
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) sentinel_user: Option<String>,
    /// `None` means the password of Redis, an empty one none.
    pub(super) sentinel_password: Option<Secret>,
}

/// Returns true if `url` names sentinels.
pub(super) fn is_sentinel_url(url: &str) -> bool {
    SCHEMES.iter().any(|(scheme, _)| url.starts_with(scheme))
}

impl SentinelTarget {
    /// Parses `redis+sentinel://user:password@host:port,host:port/master/database`. The reason of a failure repeats
    /// nothing of the URL.
    pub(super) fn parse(url: &str) -> Result<Self, &'static str> {
        let found = SCHEMES.iter().find_map(|(scheme, tls)| Some((url.strip_prefix(scheme)?, *tls)));
        let (rest, tls) = found.ok_or("it does not begin with redis+sentinel://")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (decoded(user)?, Some(decoded(password)?)),
            None => (decoded(credentials)?, None),
        };
        let (master, database) = path.split_once('/').unwrap_or((path, ""));
        let mut target = Self {
            nodes: nodes(hosts.split(','))?,
            master: master_name(&decoded(master)?)?,
            tls,
            database: match database {
                "" => 0,
                number => number.parse().ok().filter(|number| *number >= 0).ok_or("its database is not a number")?,
            },
            user: Some(user).filter(|user| !user.is_empty()),
            password: password.map(Secret::new).filter(|password| !password.reveal().is_empty()),
            sentinel_user: None,
            sentinel_password: None,
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sentinel_user", user)) => target.sentinel_user = Some(decoded(user)?),
                Some(("sentinel_password", password)) => {
                    target.sentinel_password = Some(Secret::new(decoded(password)?));
                }
                _ => return Err("it has a parameter other than sentinel_user and sentinel_password"),
            }
        }
        Ok(target)
    }

    /// Combines the settings with user, password, database and TLS of an ordinary URL, whose host is not used.
    pub(super) fn of(settings: &SentinelSettings, client: Option<&Client>) -> Result<Self, &'static str> {
        let info = client.map(Client::get_connection_info);
        let redis = info.map(redis::ConnectionInfo::redis_settings);
        Ok(Self {
            nodes: nodes(settings.nodes.iter().map(String::as_str))?,
            master: master_name(settings.master.as_deref().unwrap_or_default())?,
            tls: info.is_some_and(|info| matches!(info.addr(), ConnectionAddr::TcpTls { .. })),
            database: redis.map_or(0, redis::RedisConnectionInfo::db),
            user: redis.and_then(|redis| redis.username()).map(str::to_owned),
            password: redis.and_then(|redis| redis.password()).map(Secret::new),
            sentinel_user: settings.user.clone(),
            sentinel_password: settings.password.clone(),
        })
    }

    /// Returns the password that the sentinels are sent.
    fn effective_sentinel_password(&self) -> Option<&Secret> {
        let password = self.sentinel_password.as_ref().or(self.password.as_ref());
        password.filter(|password| !password.reveal().is_empty())
    }

    /// Returns the passwords, which no message may have.
    pub(super) fn passwords(&self) -> impl Iterator<Item = String> {
        let passwords = [&self.password, &self.sentinel_password];
        let texts: Vec<String> = passwords.into_iter().flatten().map(|secret| secret.reveal().to_owned()).collect();
        texts.into_iter().filter(|text| !text.is_empty())
    }

    /// Returns `master (host:port, host:port)`, without secrets.
    pub(super) fn label(&self) -> String {
        let nodes: Vec<String> = self.nodes.iter().map(|(host, port)| format!("{host}:{port}")).collect();
        format!("{} ({})", self.master, nodes.join(", "))
    }
}

/// The sentinels of a Redis, with their connections.
pub(super) struct Sentinels {
    pub(super) target: SentinelTarget,
    certificates: Option<TlsCertificates>,
    client: Mutex<SentinelClient>,
}

impl Sentinels {
    /// Prepares the look-ups; connects to nothing yet.
    pub(super) fn new(target: SentinelTarget, certificates: Option<TlsCertificates>) -> RedisResult<Self> {
        let addresses = target.nodes.iter().map(|(host, port)| match target.tls {
            true => ConnectionAddr::TcpTls { host: host.clone(), port: *port, insecure: false, tls_params: None },
            false => ConnectionAddr::Tcp(host.clone(), *port),
        });
        let mut builder = SentinelClientBuilder::new(addresses, &target.master, SentinelServerType::Master)?
            .set_client_to_redis_db(target.database);
        if let Some(user) = &target.user {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = &target.password {
            builder = builder.set_client_to_redis_password(password.reveal());
        }
        if let Some(user) = &target.sentinel_user {
            builder = builder.set_client_to_sentinel_username(user);
        }
        if let Some(password) = target.effective_sentinel_password() {
            builder = builder.set_client_to_sentinel_password(password.reveal());
        }
        if target.tls {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
            if let Some(certificates) = &certificates {
                builder = builder
                    .set_client_to_redis_certificates(certificates.clone())
                    .set_client_to_sentinel_certificates(certificates.clone());
            }
        }
        Ok(Self { client: Mutex::new(builder.build()?), target, certificates })
    }

    /// Asks the sentinels for the present master, and checks that it takes itself for one.
    pub(super) async fn master(&self) -> RedisResult<Client> {
        self.client.lock().await.async_get_client().await
    }

    /// Asks each sentinel alone whether it knows the master; returns their addresses with the errors.
    pub(super) async fn check(&self, limit: Duration) -> Vec<(String, RedisResult<()>)> {
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(limit)).set_response_timeout(Some(limit));
        let ask = |(host, port): &(String, u16)| {
            let (label, config) = (format!("{host}:{port}"), config.clone());
            let alone = SentinelTarget { nodes: vec![(host.clone(), *port)], ..self.target.clone() };
            async move {
                let asking = async {
                    let sentinels = Self::new(alone, self.certificates.clone())?;
                    let client = sentinels.client.lock().await.async_get_sentinel_client().await?;
                    let mut open = client.get_multiplexed_async_connection_with_config(&config).await?;
                    let mut command = redis::cmd("SENTINEL");
                    command.arg("get-master-addr-by-name").arg(&self.target.master);
                    match command.query_async::<Option<(String, u16)>>(&mut open).await? {
                        Some(_) => Ok(()),
                        None => {
                            Err((redis::ErrorKind::MasterNameNotFoundBySentinel, "it does not know the master").into())
                        }
                    }
                };
                (label, asking.await)
            }
        };
        futures_util::future::join_all(self.target.nodes.iter().map(ask)).await
    }
}

/// Parses addresses of sentinels; spaces around each are allowed, as Chatwoot allows them.
fn nodes<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<(String, u16)>, &'static str> {
    let found: Vec<(String, u16)> = texts.map(node).collect::<Result<_, _>>()?;
    match found.len() {
        0 => Err("it names no sentinel"),
        number if number > MAX_NODES => Err("it names more than 32 sentinels"),
        _ => Ok(found),
    }
}

fn node(text: &str) -> Result<(String, u16), &'static str> {
    const WRONG: &str = "a sentinel is not written as host or host:port";
    let text = text.trim();
    let (host, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(known) {
        return Err(WRONG);
    }
    let port = match port.map(str::trim) {
        None | Some("") => DEFAULT_PORT,
        Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(WRONG)?,
    };
    Ok((host.to_owned(), port))
}

fn master_name(name: &str) -> Result<String, &'static str> {
    match name {
        "" => Ok(DEFAULT_MASTER.to_owned()),
        name if name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')) => Ok(name.to_owned()),
        _ => Err("the name of the master may have only letters, digits, '.', '-' and '_'"),
    }
}

/// Decodes `%XX`.
fn decoded(text: &str) -> Result<String, &'static str> {
    const WRONG: &str = "a part of it is not encoded as %XX";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or(WRONG);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| WRONG)?);
    }
    String::from_utf8(bytes).map_err(|_| WRONG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_every_part_or_chatwoots_defaults() {
        let least = SentinelTarget::parse("redis+sentinel://s1").expect("a URL");
        assert_eq!((least.label().as_str(), least.tls, least.database), ("mymaster (s1:26379)", false, 0));
        assert_eq!((&least.user, &least.password), (&None, &None));
        let url = "rediss+sentinel://ana:p%40ss:word@s1:1,[::1]:2, s3/deck/4?sentinel_user=bo&sentinel_password=";
        let most = SentinelTarget::parse(url).expect("a URL");
        assert_eq!((most.label().as_str(), most.tls, most.database), ("deck (s1:1, ::1:2, s3:26379)", true, 4));
        assert_eq!((most.user.as_deref(), most.sentinel_user.as_deref()), (Some("ana"), Some("bo")));
        assert_eq!(most.password.as_ref().map(Secret::reveal), Some("p@ss:word"));
        assert_eq!(most.effective_sentinel_password(), None, "an empty one is none");
        let same = SentinelTarget::parse("redis+sentinels://:secret@s1").expect("a URL");
        assert_eq!(same.effective_sentinel_password().map(Secret::reveal), Some("secret"), "as in Chatwoot");
        assert!(!format!("{most:?}{same:?}").contains("secret"));
        for wrong in ["", "?x=1", "/m", "a:b@", "s1:x", "s1:0", "s1,,s2", "s1/m/x", "s1/a b", "%zz@s1", "s1?tls=1"] {
            SentinelTarget::parse(&format!("redis+sentinel://{wrong}")).expect_err(wrong);
        }
    }
}
