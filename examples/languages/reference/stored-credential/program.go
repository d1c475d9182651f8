package main

import (
	"example.com/pulumi-livekit-sip/sdk/go/livekitsip"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		cfg := config.New(ctx, "")
		kamailioDatabase := cfg.RequireSecret("kamailioDatabase")
		stored := livekitsip.KamailioCredentialOutput(ctx, livekitsip.KamailioCredentialOutputArgs{
			Url:      kamailioDatabase,
			Username: pulumi.String("1011"),
		}, nil)
		_, err := livekitsip.NewSipTrunk(ctx, "office", &livekitsip.SipTrunkArgs{
			Type:      livekitsip.SipTrunkTypeExtension,
			Extension: pulumi.String("1011"),
			Address:   pulumi.String("pbx.acme.com"),
			Country:   pulumi.String("US"),
			Credential: stored.ApplyT(func(stored livekitsip.KamailioCredentialResult) (livekitsip.VoipCredential, error) {
				return stored.Credential, nil
			}).(livekitsip.VoipCredentialOutput),
		})
		if err != nil {
			return err
		}
		return nil
	})
}
