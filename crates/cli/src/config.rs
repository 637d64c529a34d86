//! The configuration file and the environment twin of every option, both made from the command line itself.
//!
//! An option `--loss` of `tallyproof night` can also be given as `TALLYPROOF_NIGHT_LOSS` or as `loss` in the table
//! `[night]` of the configuration file. A flag wins over the environment, the environment over the file, the file over
//! the default. A key that no option has is an error: a misspelt setting must not be silently without effect.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::builder::OsStr as ClapStr;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::files;

/// The file that is read where no other is named.
pub const DEFAULT_FILE: &str = "tallyproof.toml";
const FILE_LIMIT: u64 = 1 << 20;
const FILE_OPTION: &str = "--config";

/// A configuration file as read.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    name: String,
    text: String,
}

/// A mistake in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {what}")]
pub struct ConfigError {
    /// File as named by the caller.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong and what to do.
    pub what: String,
}

impl ConfigFile {
    /// A configuration with this file name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    fn read(path: &Path) -> anyhow::Result<Self> {
        let text = files::read_text(path, FILE_LIMIT).context("the configuration file cannot be used")?;
        Ok(Self::new(path.display().to_string(), text))
    }

    fn error(&self, offset: usize, what: impl Into<String>) -> ConfigError {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        ConfigError { file: self.name.clone(), line, column, what: what.into() }
    }
}

/// Finds the configuration file: `--config` among `args`, else `TALLYPROOF_CONFIG`, else [`DEFAULT_FILE`] if it exists.
pub fn find(args: &[OsString]) -> anyhow::Result<Option<ConfigFile>> {
    let named = named_in(args).or_else(|| std::env::var_os(env_twin(&[], "config")).filter(|name| !name.is_empty()));
    match named {
        Some(path) => ConfigFile::read(&PathBuf::from(path)).map(Some),
        None if Path::new(DEFAULT_FILE).exists() => ConfigFile::read(Path::new(DEFAULT_FILE)).map(Some),
        None => Ok(None),
    }
}

/// The file has to be known before clap can parse, because it changes the defaults that clap parses with.
fn named_in(args: &[OsString]) -> Option<OsString> {
    let mut args = args.iter().skip(1).take_while(|arg| *arg != "--");
    while let Some(arg) = args.next() {
        if arg == FILE_OPTION {
            return args.next().cloned();
        }
        if let Some(value) = arg.to_str().and_then(|arg| arg.strip_prefix(FILE_OPTION)?.strip_prefix('=')) {
            return Some(value.into());
        }
    }
    None
}

/// The environment variable of an option: `TALLYPROOF_CENTRE_SERVE_UDP` for `udp` of `centre serve`.
pub fn env_twin(command: &[String], option: &str) -> String {
    let mut name = String::from("TALLYPROOF");
    for part in command.iter().map(String::as_str).chain([option]) {
        name.push('_');
        name.push_str(&part.replace('-', "_").to_ascii_uppercase());
    }
    name
}

/// The options that can be set outside the command line: those with a long name.
pub fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| arg.get_long().is_some_and(|long| !matches!(long, "help" | "version")))
}

/// Gives every option of `command` its environment twin and, where `file` sets it, its default.
pub fn equip(command: Command, file: Option<&ConfigFile>) -> anyhow::Result<Command> {
    let Some(file) = file else { return Ok(level(command, &[], None)?) };
    let parsed = DeTable::parse(&file.text)
        .map_err(|error| file.error(error.span().map_or(0, |span| span.start), error.message()))
        .context("the configuration file is not TOML")?;
    level(command, &[], Some(Section { file, table: parsed.get_ref() })).context("the configuration file has a mistake")
}

/// One table of the file.
#[derive(Clone, Copy)]
struct Section<'a> {
    file: &'a ConfigFile,
    table: &'a DeTable<'a>,
}

type Defaults = BTreeMap<String, Vec<String>>;

fn level(command: Command, path: &[String], section: Option<Section<'_>>) -> Result<Command, ConfigError> {
    let defaults = section.map_or_else(|| Ok(Defaults::new()), |section| section.defaults(&command, path))?;
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let mut command = command.mut_args(|arg| equip_option(arg, path, &defaults));
    for name in names {
        let Some(sub) = command.find_subcommand(&name).cloned() else { continue };
        let sub_path = [path, std::slice::from_ref(&name)].concat();
        let sub = level(sub, &sub_path, section.and_then(|section| section.table(&name)))?;
        command = command.mut_subcommand(name, |_| sub);
    }
    Ok(command)
}

fn equip_option(arg: Arg, path: &[String], defaults: &Defaults) -> Arg {
    let Some(long) = arg.get_long().map(str::to_owned) else { return arg };
    let mut arg = arg.env(ClapStr::from(env_twin(path, &long))).hide_env_values(true);
    if matches!(arg.get_action(), ArgAction::Append) {
        // One variable can only hold a list if something separates its values.
        arg = arg.value_delimiter(',');
    }
    match defaults.get(&long) {
        Some(values) => arg.default_values(values.iter().map(|value| ClapStr::from(value.clone()))).required(false),
        None => arg,
    }
}

impl Section<'_> {
    fn table(self, name: &str) -> Option<Self> {
        let (_, value) = self.table.iter().find(|(key, _)| key.get_ref() == name)?;
        Some(Self { table: value.get_ref().as_table()?, ..self })
    }

    /// What this table sets for the options of `command`. Every key has to be an option, or a table for a subcommand.
    fn defaults(self, command: &Command, path: &[String]) -> Result<Defaults, ConfigError> {
        let mut defaults = Defaults::new();
        for (key, value) in self.table {
            let name: &str = key.get_ref();
            if let Some(arg) = options(command).find(|arg| arg.get_long() == Some(name) && name != "config") {
                defaults.insert(name.to_owned(), self.values(command, arg, name, value)?);
            } else if command.find_subcommand(name).is_none_or(Command::is_hide_set) {
                return Err(self.file.error(key.span().start, unknown(command, path, name)));
            } else if !value.get_ref().is_table() {
                let what = format!("`{name}` is a command: write its settings under `[{}]`", header(path, name));
                return Err(self.file.error(value.span().start, what));
            }
        }
        Ok(defaults)
    }

    fn values(
        self,
        command: &Command,
        arg: &Arg,
        name: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Vec<String>, ConfigError> {
        let is_list = matches!(arg.get_action(), ArgAction::Append);
        let values: Vec<&Spanned<DeValue<'_>>> = match value.get_ref().as_array() {
            Some(array) if is_list => array.iter().collect(),
            _ => vec![value],
        };
        values.into_iter().map(|value| self.value(command, arg, name, value)).collect()
    }

    fn value(
        self,
        command: &Command,
        arg: &Arg,
        name: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<String, ConfigError> {
        let at = value.span().start;
        let fail = |what: String| self.file.error(at, what);
        if !arg.get_action().takes_values() {
            let flag = value.get_ref().as_bool().map(|flag| flag.to_string());
            return flag.ok_or_else(|| fail(format!("`{name}` must be true or false")));
        }
        let text = scalar(value.get_ref()).ok_or_else(|| {
            fail(format!(
                "`{name}` cannot be a {}; see `tallyproof {} --help`",
                value.get_ref().type_str(),
                command.get_name()
            ))
        })?;
        refusal(command, name, &text).map_or(Ok(text), |why| Err(fail(why)))
    }
}

/// The value as it would be typed on the command line.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n.to_string()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// Why the option would refuse the value, in clap's words; asked here because only here is its place in the file known.
fn refusal(command: &Command, name: &str, value: &str) -> Option<String> {
    let arguments = [OsString::from(command.get_name()), format!("--{name}={value}").into()];
    let error = command.clone().try_get_matches_from(arguments).err()?;
    let about_value = matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation);
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    about_value.then(|| first.strip_prefix("error: ").unwrap_or(first).to_owned())
}

fn unknown(command: &Command, path: &[String], wrong: &str) -> String {
    let options = options(command).filter_map(|arg| arg.get_long()).filter(|&long| long != "config");
    let commands = command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(Command::get_name);
    let nearest = nearest(wrong, options.chain(commands));
    let place = if path.is_empty() { "at the top level".to_owned() } else { format!("in `[{}]`", path.join(".")) };
    let hint = nearest.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
    format!("there is no setting `{wrong}` {place}{hint}")
}

/// The name most like `wrong`, if any is likely to be meant.
pub fn nearest<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let scored = names.map(|name| (strsim::normalized_damerau_levenshtein(wrong, name), name));
    scored.filter(|(score, _)| *score >= 0.5).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

fn header(path: &[String], name: &str) -> String {
    path.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Command {
        let serve = Command::new("serve")
            .arg(Arg::new("udp").long("udp").required(true))
            .arg(Arg::new("peer").long("peer").action(ArgAction::Append));
        let night = Command::new("night")
            .arg(Arg::new("loss").long("loss").value_parser(clap::value_parser!(f64)).default_value("0.5"))
            .arg(Arg::new("quick").long("quick").action(ArgAction::SetTrue))
            .arg(Arg::new("slow").long("slow").action(ArgAction::SetTrue).conflicts_with("quick"));
        Command::new("t")
            .arg(Arg::new("json").long("json").global(true).action(ArgAction::SetTrue))
            .subcommand(Command::new("centre").subcommand(serve))
            .subcommand(night)
    }

    fn matches(config: &str, args: &[&str]) -> clap::ArgMatches {
        let file = ConfigFile::new("c.toml", config);
        equip(sample(), Some(&file)).unwrap().try_get_matches_from(args).unwrap()
    }

    fn mistake(config: &str) -> String {
        let error = equip(sample(), Some(&ConfigFile::new("c.toml", config))).unwrap_err();
        error.root_cause().to_string()
    }

    #[test]
    fn the_file_sets_defaults_by_command() {
        let text = "json = true\n[night]\nloss = 0.25\nquick = true\n[centre.serve]\nudp = \"[::]:7000\"\npeer = [\"a\", \"b\"]";
        let found = matches(text, &["t", "night"]);
        let night = found.subcommand_matches("night").unwrap();
        assert_eq!(night.get_one::<f64>("loss"), Some(&0.25));
        assert!(night.get_flag("quick") && night.get_flag("json"));
        let found = matches(text, &["t", "centre", "serve"]);
        let serve = found.subcommand_matches("centre").unwrap().subcommand_matches("serve").unwrap();
        assert_eq!(serve.get_one::<String>("udp").unwrap(), "[::]:7000");
        assert_eq!(serve.get_many::<String>("peer").unwrap().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let found = matches("[night]\nloss = 0.25\nquick = true", &["t", "night", "--loss", "0.75", "--slow"]);
        let night = found.subcommand_matches("night").unwrap();
        assert_eq!(night.get_one::<f64>("loss"), Some(&0.75));
        assert!(night.get_flag("slow"), "a setting of the file does not conflict with a flag");
    }

    #[test]
    fn mistakes_have_their_place_and_the_nearest_name() {
        assert_eq!(
            mistake("[night]\nlos = 0.1"),
            "c.toml:2:1: there is no setting `los` in `[night]`; did you mean `loss`?"
        );
        assert_eq!(mistake("[nigt]"), "c.toml:1:2: there is no setting `nigt` at the top level; did you mean `night`?");
        assert_eq!(mistake("night = 1"), "c.toml:1:9: `night` is a command: write its settings under `[night]`");
        assert_eq!(mistake("[night]\nquick = 1"), "c.toml:2:9: `quick` must be true or false");
        assert!(mistake("[night]\nloss = \"x\"").starts_with("c.toml:2:8: invalid value 'x' for '--loss"));
        assert!(mistake("[night]\nloss = [1]").starts_with("c.toml:2:8: `loss` cannot be a array"));
        assert!(mistake("[night\n").starts_with("c.toml:1:"));
    }

    #[test]
    fn every_option_has_a_twin() {
        let command = equip(sample(), None).unwrap();
        let serve = command.find_subcommand("centre").unwrap().find_subcommand("serve").unwrap();
        let udp = options(serve).find(|arg| arg.get_id() == "udp").unwrap();
        assert_eq!(udp.get_env(), Some(std::ffi::OsStr::new("TALLYPROOF_CENTRE_SERVE_UDP")));
    }

    #[test]
    fn the_file_is_found_among_the_arguments() {
        let args = |list: &[&str]| list.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(named_in(&args(&["t", "--config", "a"])), Some("a".into()));
        assert_eq!(named_in(&args(&["t", "night", "--config=b"])), Some("b".into()));
        assert_eq!(named_in(&args(&["t", "--", "--config=b"])), None);
        assert_eq!(named_in(&args(&["t", "--configured"])), None);
    }
}
