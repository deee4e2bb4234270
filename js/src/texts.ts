// Every text a person reads, in one place.
export const texts = {
  host: {
    noServer: (path: string) => `The board ${path} needs a Jupyter server in this page. Open the notebook in JupyterLab.`,
    opening: (path: string) => `Opening ${path}`,
  },
};
