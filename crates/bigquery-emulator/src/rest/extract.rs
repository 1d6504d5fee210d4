//! Extractors of the names in a URL's path.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::jobs::name::JobName;
use crate::names::{DatasetRef, TableRef};

impl<S: Send + Sync> FromRequestParts<S> for DatasetRef {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path((project, dataset)) = Path::from_request_parts(parts, state).await.map_err(path_error)?;
        Ok(DatasetRef { project, dataset })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for TableRef {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path((project, dataset, table)) = Path::from_request_parts(parts, state).await.map_err(path_error)?;
        Ok(TableRef { dataset: DatasetRef { project, dataset }, table })
    }
}

/// The project of `/projects/{project}/…`.
pub(crate) struct Project(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Project {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(project) = Path::from_request_parts(parts, state).await.map_err(path_error)?;
        Ok(Project(project))
    }
}

fn path_error(rejection: PathRejection) -> ApiError {
    ApiError::Invalid(rejection.body_text())
}

impl<S: Send + Sync> FromRequestParts<S> for JobName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path((project, id)) = Path::from_request_parts(parts, state).await.map_err(path_error)?;
        Ok(JobName { project, id })
    }
}
