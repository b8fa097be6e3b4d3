SELECT positioned, newest FROM position_changes()
