export {
  type CreatedProject,
  type CreateProjectOptions,
  createProject,
  type ProjectKind,
  projectKinds,
} from './create-project.js';
export { CreateError, type CreateErrorCode, type CreateErrorDetails, isCreateError } from './errors.js';
