"""The fleet's side: takes reports, opens incidents, asks the gates, and drives every remediation."""
