//! Inputs that contain documents: standard input, files, and the objects of an archive.

use std::io::{self, Read};
use std::sync::Arc;

use super::archive::{Archive, ArchivePrefix};
use super::files::{self, FileError, InputFile};
use crate::cli::replay::identity::Identity;
use crate::google::storage::StorageObject;

/// An argument. Parsing it needs no request.
#[derive(Debug)]
pub(crate) enum InputArg {
    Input(Input),
    Archive(ArchivePrefix),
}

#[derive(Debug)]
pub(crate) enum Input {
    Stdin,
    File(InputFile),
    Object(Arc<Archive>, StorageObject),
}

/// Parses arguments, and looks for the files that they name.
pub(crate) fn parse(arguments: &[String]) -> Result<Vec<InputArg>, FileError> {
    let mut inputs = Vec::new();
    for argument in arguments {
        if argument == "-" {
            inputs.push(InputArg::Input(Input::Stdin));
        } else if let Some(prefix) = ArchivePrefix::parse(argument) {
            inputs.push(InputArg::Archive(prefix));
        } else {
            inputs.extend(files::matching(argument)?.into_iter().map(|file| InputArg::Input(Input::File(file))));
        }
    }
    Ok(inputs)
}

/// Refuses files in other formats than JSON. Other errors are reported when the file is read. Streams and objects are
/// checked when the source is opened.
pub(crate) fn check_formats(inputs: &[InputArg]) -> Result<(), FileError> {
    inputs.iter().try_for_each(|input| match input {
        InputArg::Input(Input::File(file)) => file.check_format(),
        InputArg::Input(Input::Stdin | Input::Object(..)) | InputArg::Archive(_) => Ok(()),
    })
}

impl Input {
    /// The name in messages and checkpoints.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(file) => file.name.clone(),
            Self::Object(_, object) => object.name(),
        }
    }

    /// `None` if it cannot be read twice.
    pub(crate) fn identity(&self) -> Option<Identity> {
        match self {
            Self::Stdin => None,
            Self::File(file) => file.identity.clone(),
            Self::Object(_, object) => Some(Identity::Object { generation: object.generation.clone() }),
        }
    }

    /// Standard input or a pipe.
    pub(crate) fn is_stream(&self) -> bool {
        self.identity().is_none()
    }

    /// The stored size in bytes, if it is known.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::Stdin => None,
            Self::File(file) => file.size(),
            Self::Object(_, object) => Some(object.size),
        }
    }

    /// Starts to read. To be called outside of the runtime.
    pub(crate) fn open(&self, runtime: &tokio::runtime::Handle) -> io::Result<Box<dyn Read>> {
        match self {
            Self::Stdin => Ok(Box::new(io::stdin().lock())),
            Self::File(file) => Ok(Box::new(file.open()?)),
            Self::Object(archive, object) => Ok(Box::new(archive.open(object, runtime))),
        }
    }
}
