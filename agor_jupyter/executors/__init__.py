"""Where an agent's process runs. The only folder that starts one."""
